//! A process of its own for each run. Libraries keep counters for the whole process, and some of them decide something:
//! tokio, for example, seeds the order in which it wakes those who wait for one value from such a counter.

use std::io::{PipeWriter, Read, Write, pipe};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::run::Outcome;
use crate::world::Violation;

type Parts = (Option<String>, String, usize, Duration);

/// Calls `run` in a copy of this process that has only the calling thread. The copy must use nothing that other threads
/// of this process may have locked.
///
/// # Errors
/// If the copy ends without an outcome.
pub(crate) fn in_own_process(run: impl FnOnce() -> Outcome) -> Result<Outcome> {
    let (mut reader, writer) = pipe()?;
    // SAFETY: the copy uses only memory that glibc makes usable after a fork, and what `run` creates.
    #[expect(unsafe_code, reason = "no safe function copies a process")]
    let child = unsafe { libc::fork() };
    match child {
        -1 => bail!("the process cannot be copied: {}", std::io::Error::last_os_error()),
        0 => {
            let status = i32::from(report(writer, run()).is_err());
            // SAFETY: ends the copy without what this process does at its end.
            #[expect(unsafe_code, reason = "no safe function ends a process without its exit handlers")]
            unsafe {
                libc::_exit(status)
            }
        }
        child => {
            drop(writer);
            let outcome = receive(&mut reader);
            let mut status = 0;
            // SAFETY: the child is of this call, and the status is on this stack.
            #[expect(
                unsafe_code,
                reason = "the standard library waits only for processes that it has started"
            )]
            let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
            ensure!(ended == child, "the process of the run cannot be awaited");
            outcome.with_context(|| format!("the process of the run ended with status {status}"))
        }
    }
}

fn report(mut writer: PipeWriter, outcome: Outcome) -> Result<()> {
    let Outcome { violation, timeline, events, lasted } = outcome;
    let parts: Parts = (violation.map(|violation| violation.0), timeline, events, lasted);
    let text = serde_json::to_vec(&parts)?;
    // The end of the pipe is no sign: copies for other runs may have it open.
    writer.write_all(&u64::try_from(text.len())?.to_le_bytes())?;
    Ok(writer.write_all(&text)?)
}

fn receive(reader: &mut impl Read) -> Result<Outcome> {
    let mut length = [0; 8];
    reader.read_exact(&mut length)?;
    let mut text = vec![0; usize::try_from(u64::from_le_bytes(length))?];
    reader.read_exact(&mut text)?;
    let (violation, timeline, events, lasted): Parts = serde_json::from_slice(&text)?;
    Ok(Outcome { violation: violation.map(Violation), timeline, events, lasted })
}
