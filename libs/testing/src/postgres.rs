use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::{Signal, geteuid};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tempfile::TempDir;
use uuid::Uuid;

use crate::guard::{self, Guard};
use crate::tls::{Authority, Identity, TlsFiles};
use crate::waiting::{free_port, wait_for_blocking};

const MISSING: &str = "PostgreSQL is not installed: these tests need `initdb` and `postgres` \
                       (apt-get install postgresql, or run deploy/test-deps.sh)";

/// The private Postgres server of this test process, in a temporary folder and without fsync.
pub struct PrivatePostgres {
    port: u16,
    server: Mutex<Child>,
    _guard: Guard,
    _folder: TempDir,
}

impl PrivatePostgres {
    /// Returns the server of this process. The first call starts it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PrivatePostgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Creates a new, empty database and returns its URL. Takes about 40 ms.
    pub async fn create_database(&self) -> String {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let admin = Database::connect(self.url("postgres")).await.expect("the private Postgres answers");
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .expect("a database can be created");
        admin.close().await.ok();
        self.url(&name)
    }

    /// Makes a database read-only, like the old primary after a failover, or writable again. Only new
    /// connections get the new mode. Connections that are open are closed when the database becomes
    /// read-only, and stay read-only when it becomes writable.
    pub async fn make_read_only(url: &str, is_read_only: bool) {
        let name = url.rsplit('/').next().unwrap_or_default();
        let mode = if is_read_only { "on" } else { "off" };
        let change = format!("ALTER DATABASE {name} SET default_transaction_read_only = {mode}");
        let admin = Database::connect(url).await.expect("the private Postgres answers");
        admin
            .execute_unprepared(&format!("BEGIN READ WRITE; {change}; COMMIT"))
            .await
            .expect("a database can be changed");
        if is_read_only {
            let close = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
            );
            admin.execute_unprepared(&close).await.expect("connections can be closed");
        }
        admin.close().await.ok();
    }

    /// Starts a server of its own.
    pub fn start() -> Self {
        Self::start_with(|_, _| Vec::new())
    }

    /// Starts a standby that follows this server.
    pub fn start_standby(&self) -> Self {
        let folder = new_folder();
        let (owner, data) = (Owner::of_servers(), folder.path().join("data"));
        let copy = owner
            .command("pg_basebackup", folder.path())
            .args(["--host=127.0.0.1", "--username=postgres", "--write-recovery-conf", "--checkpoint=fast"])
            .arg(format!("--port={}", self.port))
            .arg("--pgdata")
            .arg(&data)
            .output()
            .expect(MISSING);
        assert!(copy.status.success(), "pg_basebackup failed: {}", String::from_utf8_lossy(&copy.stderr));
        Self::listen(&owner, folder, &data, &[])
    }

    /// Returns the number of rows of a table; `None` if there is no such table.
    pub async fn rows(&self, table: &str) -> Option<i64> {
        let admin = Database::connect(self.url("postgres")).await.expect("the private Postgres answers");
        let count = format!("SELECT count(*) AS n FROM {table}");
        let rows = admin.query_one_raw(Statement::from_string(DbBackend::Postgres, count)).await;
        admin.close().await.ok();
        rows.ok()??.try_get("", "n").ok()
    }

    /// Makes a standby the primary.
    pub async fn promote(&self) {
        let admin = Database::connect(self.url("postgres")).await.expect("the private Postgres answers");
        admin.execute_unprepared("SELECT pg_promote()").await.expect("a standby can be promoted");
        admin.close().await.ok();
    }

    /// Stops the server at once: connections break.
    pub fn kill(&self) {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if server.try_wait().is_ok_and(|ended| ended.is_none()) {
            guard::signal(&server, Signal::QUIT);
            server.wait().ok();
        }
    }

    /// Returns the address of the server, for a [`Proxy`](crate::Proxy).
    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts a server of its own with TLS. With `asks_for_certificates`, clients need one of the authority.
    pub fn start_with_tls(authority: &Authority, server: &Identity, asks_for_certificates: bool) -> Self {
        Self::start_with(|owner, data| {
            let files = TlsFiles::write(data, authority, server);
            fs::set_permissions(&files.key, Permissions::from_mode(0o600)).expect("own files");
            if let Some(owner) = owner {
                chown(&files.key, Some(owner.uid), Some(owner.gid)).expect("root may chown");
            }
            let option = if asks_for_certificates { " clientcert=verify-ca" } else { "" };
            fs::write(data.join("pg_hba.conf"), format!("hostssl all all 127.0.0.1/32 trust{option}\n"))
                .expect("the folder is writable");
            let setting = |name: &str, file: &Path| format!("--{name}={}", file.display());
            vec![
                "--ssl=on".to_owned(),
                setting("ssl_cert_file", &files.certificate),
                setting("ssl_key_file", &files.key),
                setting("ssl_ca_file", &files.authority),
            ]
        })
    }

    /// Returns the URL of this server under a host name, with these parameters.
    pub fn url_at(&self, host: &str, parameters: &str) -> String {
        format!("postgres://postgres@{host}:{}/postgres?{parameters}", self.port)
    }

    /// Starts a server. `prepare` writes into its data folder and returns further arguments.
    fn start_with(prepare: impl FnOnce(&Option<Owner>, &Path) -> Vec<String>) -> Self {
        let folder = new_folder();
        let (owner, data) = (Owner::of_servers(), folder.path().join("data"));
        let initdb = owner
            .command("initdb", folder.path())
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .expect(MISSING);
        assert!(initdb.status.success(), "initdb failed: {}", String::from_utf8_lossy(&initdb.stderr));

        let arguments = prepare(&owner, &data);
        Self::listen(&owner, folder, &data, &arguments)
    }

    fn listen(owner: &Option<Owner>, folder: TempDir, data: &Path, arguments: &[String]) -> Self {
        // Another process may take the free port before Postgres does; then try another port.
        for _ in 0..3 {
            if let Some((port, server, guard)) = listen(owner, folder.path(), data, arguments) {
                return Self { port, server: Mutex::new(server), _guard: guard, _folder: folder };
            }
        }
        panic!("the private Postgres did not start: {}", log(folder.path()));
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the server on a free port. Returns `None` if it stopped before it was ready.
fn listen(
    owner: &Option<Owner>,
    folder: &Path,
    data: &Path,
    arguments: &[String],
) -> Option<(u16, Child, Guard)> {
    let port = free_port();
    let log = fs::File::create(folder.join("log")).expect("a log file");
    let mut server = owner
        .command("postgres", folder)
        .arg("-D")
        .arg(data)
        .arg("-k")
        .arg(folder)
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "max_connections=400"])
        .args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"])
        .args(arguments)
        .stderr(log)
        .spawn()
        .expect(MISSING);
    let guard = Guard::new(&server, "QUIT", Some(folder));
    let status = data.join("postmaster.pid");
    let ready = wait_for_blocking("the private Postgres to start", || {
        if server.try_wait().expect("a child can be asked").is_some() {
            return Some(false);
        }
        fs::read_to_string(&status).is_ok_and(|text| text.contains("ready")).then_some(true)
    });
    ready.then_some((port, server, guard))
}

/// Creates a folder that belongs to the user of the servers.
pub(crate) fn new_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("pg-").tempdir().expect("a temporary folder");
    if let Some(owner) = Owner::of_servers() {
        chown(folder.path(), Some(owner.uid), Some(owner.gid)).expect("root may chown");
    }
    folder
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// The user that the server runs as: Postgres refuses to run as root.
pub(crate) struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    pub(crate) fn of_servers() -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd is readable");
        let line = users.lines().find(|line| line.starts_with("postgres:")).expect(MISSING);
        let fields: Vec<&str> = line.split(':').collect();
        let id = |index: usize| fields[index].parse().expect("ids in /etc/passwd are numbers");
        Some(Self { uid: id(2), gid: id(3) })
    }
}

pub(crate) trait Run {
    fn command(&self, program: &str, folder: &Path) -> Command;
}

impl Run for Option<Owner> {
    fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(installed(program));
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
        // Ctrl-C goes to the test process only; then the guard stops the server.
        command.process_group(0);
        if let Some(owner) = self {
            command.uid(owner.uid).gid(owner.gid);
        }
        command
    }
}

/// Finds a program of the server. Debian keeps them off the PATH, in one folder per major version.
fn installed(program: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .map(|version| version.path().join("bin").join(program))
        .filter(|path| path.exists())
        .max()
        .unwrap_or_else(|| PathBuf::from(program))
}
