use std::fs;
use std::process::Child;

use tempfile::TempDir;

use crate::guard::Guard;
use crate::postgres::{Owner, PrivatePostgres, Run, new_folder};
use crate::waiting::{free_port, wait_for_blocking};

/// A private pgbouncer in transaction mode, with two connections to the server per database.
pub struct PrivatePooler {
    port: u16,
    process: Child,
    _guard: Guard,
    _folder: TempDir,
}

impl PrivatePooler {
    /// Starts a pooler in front of a server.
    pub fn start(server: &PrivatePostgres) -> Self {
        let (folder, owner, port) = (new_folder(), Owner::of_servers(), free_port());
        let file = folder.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = 2\nmax_client_conn = 200\n",
            server.address().port(),
        );
        fs::write(&file, settings).expect("the folder is writable");
        let mut process = owner
            .command("pgbouncer", folder.path())
            .arg(&file)
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("pgbouncer is not installed (apt-get install pgbouncer, or run deploy/test-deps.sh)");
        let guard = Guard::new(&process, "KILL", Some(folder.path()));
        wait_for_blocking("the pooler to listen", || {
            assert!(process.try_wait().expect("a child can be asked").is_none(), "pgbouncer stopped");
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self { port, process, _guard: guard, _folder: folder }
    }

    /// Returns the URL of a database behind the pooler, given the URL past it.
    pub fn url(&self, direct: &str) -> String {
        let name = direct.rsplit('/').next().unwrap_or_default();
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for PrivatePooler {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
