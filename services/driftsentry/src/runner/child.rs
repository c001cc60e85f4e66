//! Runs one program in a process group of its own, with a deadline.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// The time for ending by itself after SIGTERM. Terraform gives its state lock back in this time.
const GRACE: Duration = Duration::from_secs(10);
/// Above the limit of the service, so that the service itself refuses a plan that is too large.
const MAX_OUTPUT: usize = 64 * 1024 * 1024;
/// Only the end of the error output is kept.
const MAX_ERRORS: usize = 8 * 1024;

/// The limits of one module.
pub(super) struct Limits<'a> {
    pub deadline: Instant,
    pub timeout: Duration,
    /// Cancelled if the process is asked to stop.
    pub stop: &'a CancellationToken,
}

/// Runs a command and returns its standard output. Ends its whole process group at the deadline, and if this process
/// is asked to stop.
///
/// # Errors
/// If the program cannot be started, fails, or is ended. The message contains the end of its error output, with
/// `redact` applied.
pub(super) async fn run(
    mut command: Command,
    what: &str,
    limits: &Limits<'_>,
    redact: impl Fn(&str) -> String,
) -> Result<Vec<u8>> {
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {what}; is it in PATH?"))?;
    let group = Group(Pid::from_child(&child));
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        bail!("cannot read the output of {what}");
    };
    let output = in_thread(move || beginning(stdout));
    let errors = in_thread(move || end(stderr));
    let status = in_thread(move || child.wait());
    let mut ending = std::pin::pin!(async {
        let (output, errors, status) = tokio::try_join!(output, errors, status).map_err(io::Error::other)?;
        io::Result::Ok((output?, errors?, status?))
    });
    let ended = tokio::select! {
        ended = &mut ending => Ok(ended),
        () = sleep_until(limits.deadline) => Err(format!(
            "{what} took longer than {}; set --timeout", humantime::format_duration(limits.timeout)
        )),
        () = limits.stop.cancelled() => Err(format!("{what} was interrupted")),
    };
    let (output, errors, status) = match ended {
        Ok(ended) => ended.with_context(|| format!("cannot read the output of {what}"))?,
        Err(reason) => {
            group.ask_to_end();
            // How the program ends does not matter any more.
            let _ = timeout(GRACE, &mut ending).await;
            bail!(reason);
        }
    };
    if !status.success() {
        let errors = redact(String::from_utf8_lossy(&errors).trim());
        bail!("{what} failed ({status})\n{errors}");
    }
    ensure!(output.len() <= MAX_OUTPUT, "{what} printed more than {} MiB; split the stack", MAX_OUTPUT >> 20);
    Ok(output)
}

/// A process group that is killed when this is dropped, because programs may leave children of their own.
struct Group(Pid);

impl Group {
    /// Asks the program, and not its children: Terraform still needs its providers to end well. SIGTERM and not SIGINT,
    /// which a shell lets the jobs in its background ignore.
    fn ask_to_end(&self) {
        // An error means that the program has ended.
        let _ = kill_process(self.0, Signal::TERM);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // An error means that no process is left.
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

/// Runs blocking work in a thread of its own, which does not keep this process from ending.
fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        // Nobody receives the result of a program that was given up.
        let _ = sender.send(work());
    });
    receiver
}

/// Reads to the end, but keeps only one byte more than [`MAX_OUTPUT`].
fn beginning(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    from.by_ref().take(MAX_OUTPUT as u64 + 1).read_to_end(&mut kept)?;
    io::copy(&mut from, &mut io::sink())?;
    Ok(kept)
}

/// Reads to the end and keeps the last bytes.
fn end(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut part = [0; 4096];
    loop {
        let length = from.read(&mut part)?;
        if length == 0 {
            return Ok(kept);
        }
        kept.extend_from_slice(&part[..length]);
        let surplus = kept.len().saturating_sub(MAX_ERRORS);
        kept.drain(..surplus);
    }
}
