use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::guard::{self, Guard};
use crate::tls::{Authority, Identity, TlsFiles};
use crate::waiting::{free_port, wait_for_blocking};

/// The private Redis of one test, to be killed, frozen and restarted.
///
/// It keeps an append-only file, so that [`restart`](Self::restart) restores the data after a kill.
pub struct PrivateRedis {
    port: u16,
    running: Mutex<Option<Running>>,
    folder: TempDir,
    tls_port: Option<u16>,
    /// Further arguments of the server.
    arguments: Vec<String>,
}

struct Running {
    server: Child,
    _guard: Guard,
}

impl PrivateRedis {
    /// Starts a server on a free port (about 10 ms).
    pub fn start() -> Self {
        Self::start_in(new_folder(), false, Vec::new())
    }

    /// Starts a server that also listens with TLS. With `asks_for_certificates`, clients need one of the authority.
    pub fn start_with_tls(authority: &Authority, server: &Identity, asks_for_certificates: bool) -> Self {
        let folder = new_folder();
        let files = TlsFiles::write(folder.path(), authority, server);
        let arguments = [
            ("--tls-cert-file", files.certificate.display().to_string()),
            ("--tls-key-file", files.key.display().to_string()),
            ("--tls-ca-cert-file", files.authority.display().to_string()),
            ("--tls-auth-clients", if asks_for_certificates { "yes" } else { "no" }.to_owned()),
        ];
        let arguments = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        Self::start_in(folder, true, arguments)
    }

    fn start_in(folder: TempDir, has_tls: bool, mut arguments: Vec<String>) -> Self {
        // Another process may take a free port before Redis does; then try other ports.
        for _ in 0..3 {
            let (port, tls_port) = (free_port(), has_tls.then(free_port));
            arguments
                .extend(tls_port.into_iter().flat_map(|port| ["--tls-port".to_owned(), port.to_string()]));
            if let Some(running) = launch(port, &folder, &arguments) {
                return Self { port, running: Mutex::new(Some(running)), folder, tls_port, arguments };
            }
        }
        panic!("the private Redis did not start on any of three free ports");
    }

    /// Returns `rediss://host:port`, for a server with TLS.
    pub fn tls_url(&self, host: &str) -> String {
        format!("rediss://{host}:{}", self.tls_port.expect("this server has TLS"))
    }

    /// Returns `redis://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the address of the server, for a [`Proxy`](crate::Proxy).
    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Opens a connection that bypasses the thing under test.
    pub async fn connect(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("a well-formed URL");
        client.get_multiplexed_async_connection().await.expect("the private Redis answers")
    }

    /// Opens a subscriber that bypasses the thing under test.
    pub async fn pubsub(&self) -> redis::aio::PubSub {
        let client = redis::Client::open(self.url()).expect("a well-formed URL");
        client.get_async_pubsub().await.expect("the private Redis answers")
    }

    /// Publishes all messages, each a channel and a body, in one round trip.
    pub async fn publish_all(&self, messages: impl IntoIterator<Item = (String, String)>) {
        let mut all = redis::pipe();
        for (channel, body) in messages {
            all.publish(channel, body).ignore();
        }
        let client = redis::Client::open(self.url()).expect("a well-formed URL");
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = connection.expect("the private Redis answers");
        all.query_async::<()>(&mut connection).await.expect("everything is published");
    }

    /// Makes this server a replica of another one, and waits until it has all data.
    pub async fn follow(&self, primary: &Self) {
        self.command(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]).await;
        crate::eventually("the replica to follow", async || {
            self.command(&["INFO", "replication"]).await.contains("master_link_status:up")
        })
        .await;
    }

    /// Hands over to a replica without losing a write, as in a planned failover. The old primary keeps
    /// running, read-only and with its connections open, and receives nothing from the new primary.
    pub async fn fail_over_to(&self, replica: &Self) {
        self.command(&["FAILOVER", "TO", "127.0.0.1", &replica.port.to_string()]).await;
        crate::eventually("the replica to be the primary", async || {
            replica.command(&["ROLE"]).await.starts_with("master")
        })
        .await;
        self.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    }

    /// Runs a command and returns its reply as text.
    async fn command(&self, words: &[&str]) -> String {
        let (first, rest) = words.split_first().expect("a command has a name");
        let answer = redis::cmd(first).arg(rest).query_async(&mut self.connect().await).await;
        let mut texts = Vec::new();
        collect(&answer.expect("the private Redis answers"), &mut texts);
        texts.join(" ")
    }

    /// Returns the folder of the server's files.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Returns every key and every value, of any type.
    pub async fn dump(&self) -> Vec<String> {
        let mut connection = self.connect().await;
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.expect("keys");
        let mut dump = keys.clone();
        for key in keys {
            let kind: String =
                redis::cmd("TYPE").arg(&key).query_async(&mut connection).await.expect("a type");
            let (command, range): (_, &[&str]) = match kind.as_str() {
                "string" => ("GET", &[]),
                "hash" => ("HGETALL", &[]),
                "set" => ("SMEMBERS", &[]),
                "list" => ("LRANGE", &["0", "-1"]),
                "zset" => ("ZRANGE", &["0", "-1", "WITHSCORES"]),
                "stream" => ("XRANGE", &["-", "+"]),
                // The key has expired in the meantime.
                "none" => continue,
                other => panic!("{key} is of the type {other}, which this dump does not support"),
            };
            let value = redis::cmd(command).arg(&key).arg(range).query_async(&mut connection).await;
            collect(&value.expect("a value of the type just asked for"), &mut dump);
        }
        dump
    }

    /// Sends SIGKILL: connections break without a message.
    pub fn kill(&self) {
        if let Some(mut running) = self.running().take() {
            running.server.kill().ok();
            running.server.wait().ok();
        }
    }

    /// Sends SIGSTOP: connections stay open without a response until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Sends SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills the server if it runs, and starts it again on the same port with its data.
    pub fn restart(&self) {
        self.kill();
        let running = launch(self.port, &self.folder, &self.arguments).expect("the port is still free");
        *self.running() = Some(running);
    }

    /// Kills the server if it runs, and starts it again on the same port without its data.
    pub fn restart_empty(&self) {
        self.kill();
        std::fs::remove_dir_all(self.folder.path().join("appendonlydir")).ok();
        self.restart();
    }

    fn signal(&self, signal: Signal) {
        guard::signal(&self.running().as_ref().expect("the private Redis was killed").server, signal);
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn new_folder() -> TempDir {
    tempfile::Builder::new().prefix("redis-").tempdir().expect("a temporary folder")
}

fn collect(value: &redis::Value, texts: &mut Vec<String>) {
    match value {
        redis::Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        redis::Value::Nil => {}
        scalar => texts.push(redis::from_redis_value_ref(scalar).expect("a value of Redis is a text")),
    }
}

/// Starts the server on `port`. Returns `None` if the server stopped before it responded.
fn launch(port: u16, folder: &TempDir, arguments: &[String]) -> Option<Running> {
    let mut server = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(folder.path())
        .args(["--appendonly", "yes", "--appendfsync", "no"])
        .args(arguments)
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
    let guard = Guard::new(&server, "KILL", Some(folder.path()));
    let client = redis::Client::open(("127.0.0.1", port)).expect("a well-formed address");
    let ready = wait_for_blocking("the private Redis to start", || {
        if server.try_wait().expect("a child can be asked").is_some() {
            return Some(false);
        }
        let mut connection = client.get_connection().ok()?;
        redis::cmd("PING").query::<String>(&mut connection).ok().map(|_| true)
    });
    ready.then_some(Running { server, _guard: guard })
}
