use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Ends a child process and deletes its folder after the test process has ended for any reason.
///
/// `Drop` does not run for statics, nor after SIGKILL. So a small shell waits at the other end of a
/// pipe that only this process holds open, and acts when the pipe closes.
pub(crate) struct Guard {
    watcher: Child,
}

const SCRIPT: &str = r#"
read -r _
kill -s "$1" "$2" 2>/dev/null
tries=0
while kill -0 "$2" 2>/dev/null && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
[ -z "$3" ] || rm -rf "$3"
"#;

impl Guard {
    /// Sends `signal` to `child` once this process has ended, and then deletes `folder`.
    pub(crate) fn new(child: &Child, signal: &str, folder: Option<&Path>) -> Self {
        use std::os::unix::process::CommandExt;

        let watcher = Command::new("sh")
            .args(["-c", SCRIPT, "guard", signal, &child.id().to_string()])
            .arg(folder.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C reaches the whole process group; the watcher must outlive it.
            .process_group(0)
            .spawn()
            .expect("sh is installed");
        Self { watcher }
    }
}

impl Drop for Guard {
    /// Stops the watcher: the owner has ended its child, and deletes the folder itself.
    fn drop(&mut self) {
        self.watcher.kill().ok();
        self.watcher.wait().ok();
    }
}

/// Sends a signal to a child that has not been waited for yet.
pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("the process is there to receive a signal");
}
