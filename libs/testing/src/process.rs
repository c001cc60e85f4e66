use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;

use crate::client::Client;
use crate::guard::{self, Guard};
use crate::waiting::{eventually, wait_for};

/// A built binary that runs until this is dropped, and its output on stdout and stderr.
pub struct Process {
    child: Child,
    _guard: Guard,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts `program` with an environment of only PATH and `env`.
    pub fn spawn<K, V>(program: &Path, args: &[&str], env: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let mut child = Command::new(program)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.display()));
        let guard = Guard::new(&child, "KILL", None);
        let lines = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().expect("stdout is piped"), &lines);
        collect(child.stderr.take().expect("stderr is piped"), &lines);
        Self { child, _guard: guard, lines }
    }

    /// Waits until `{base}/ready` responds with 200. Panics with the log if the process ends before.
    pub async fn wait_until_ready(&mut self, base: &str) {
        let probe = Client::new(base).request(reqwest::Method::GET, "/ready");
        wait_for("the process to be ready", async || {
            if let Some(status) = self.exit_status() {
                panic!("the process ended with {status} before it was ready:\n{}", self.log());
            }
            let probe = probe.try_clone().expect("a request without a body can be repeated");
            probe.send().await.is_ok_and(|answer| answer.status().is_success()).then_some(())
        })
        .await;
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM, which asks the process to stop.
    pub fn terminate(&self) {
        guard::signal(&self.child, Signal::TERM);
    }

    /// Sends SIGKILL and waits until the process has ended.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Sends SIGSTOP: connections stay open without a response until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        guard::signal(&self.child, Signal::STOP);
    }

    /// Sends SIGCONT.
    pub fn thaw(&self) {
        guard::signal(&self.child, Signal::CONT);
    }

    /// Returns the exit status; `None` while the process runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked")
    }

    /// Waits until the process ends.
    pub async fn ended(&mut self) -> ExitStatus {
        wait_for("the process to end", async || self.exit_status()).await
    }

    /// Returns everything that the process has written so far.
    pub fn log(&self) -> String {
        locked(&self.lines).join("\n")
    }

    /// Waits until the process has written a line that contains `text`.
    pub async fn wait_for_log(&self, text: &str) {
        eventually(&format!("{text:?} in the log"), async || {
            locked(&self.lines).iter().any(|line| line.contains(text))
        })
        .await;
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "a failed test shows the output of the process")]
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Returns the path of a workspace binary, in the folder of the calling test or program.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.parent().expect("a program is in a folder");
    // Tests run from target/<profile>/deps, programs from target/<profile>.
    let profile = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    let path = profile.join(name);
    assert!(path.exists(), "{} is not built: run `cargo build --workspace` first", path.display());
    path
}

fn collect(stream: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            locked(&lines).push(line);
        }
    });
}

fn locked(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
