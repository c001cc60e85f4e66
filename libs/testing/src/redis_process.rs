use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::guard::Guard;
use crate::waiting::wait_for_blocking;

/// A running process of Redis, of any role.
pub(crate) struct Running {
    pub server: Child,
    _guard: Guard,
}

/// Starts `redis-server`, or the program in `TEST_REDIS_SERVER`, and waits until it responds on `port`. Returns `None` if
/// it stopped before.
pub(crate) fn launch(arguments: &[String], folder: &Path, port: u16) -> Option<Running> {
    let mut server =
        Command::new(std::env::var_os("TEST_REDIS_SERVER").unwrap_or_else(|| "redis-server".into()))
            .args(arguments)
            .arg("--dir")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| match error.kind() {
                ErrorKind::NotFound => panic!(
                    "Redis is not installed: these tests need `redis-server` \
                 (apt-get install redis-server, or run deploy/test-deps.sh)"
                ),
                _ => panic!("redis-server cannot be started: {error}"),
            });
    let guard = Guard::new(&server, "KILL", Some(folder));
    let client = redis::Client::open(("127.0.0.1", port)).expect("a well-formed address");
    let ready = wait_for_blocking("the private Redis to start", || {
        if server.try_wait().expect("a child can be asked").is_some() {
            return Some(false);
        }
        let mut connection = client.get_connection().ok()?;
        // A server with passwords responds with an error. One that loads its data is not ready yet.
        let reply = redis::cmd("PING").query::<String>(&mut connection);
        reply
            .map_or_else(|error| error.code().is_some_and(|code| code != "LOADING"), |_| true)
            .then_some(true)
    });
    ready.then_some(Running { server, _guard: guard })
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}
