use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::guard;
use crate::redis_process::{self, Running};
use crate::redis_settings::{new_folder, replication_settings};
use crate::tls::{Authority, Identity, TlsFiles};
use crate::waiting::free_port;

/// The private Redis of one test, to be killed, frozen and restarted.
///
/// It keeps an append-only file, so that [`restart`](Self::restart) restores the data after a kill.
pub struct PrivateRedis {
    port: u16,
    running: Mutex<Option<Running>>,
    is_frozen: AtomicBool,
    folder: TempDir,
    tls_port: Option<u16>,
    /// Further arguments of the server.
    arguments: Vec<String>,
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
        let mut arguments = arguments(&files.settings());
        arguments
            .extend(["--tls-auth-clients", if asks_for_certificates { "yes" } else { "no" }].map(Into::into));
        Self::start_in(folder, true, arguments)
    }

    fn start_in(folder: TempDir, has_tls: bool, mut arguments: Vec<String>) -> Self {
        // Another process may take a free port before Redis does; then try other ports.
        for _ in 0..3 {
            let (port, tls_port) = (free_port(), has_tls.then(free_port));
            arguments
                .extend(tls_port.into_iter().flat_map(|port| ["--tls-port".to_owned(), port.to_string()]));
            if let Some(running) = launch(port, folder.path(), &arguments) {
                let (running, is_frozen) = (Mutex::new(Some(running)), AtomicBool::new(false));
                return Self { port, running, is_frozen, folder, tls_port, arguments };
            }
        }
        panic!("the private Redis did not start on any of three free ports");
    }

    /// Starts a server for a group of primaries and replicas. It also listens with TLS if the settings name a
    /// certificate.
    pub(crate) fn start_member(settings: &[(&str, String)]) -> Self {
        let has_tls = settings.iter().any(|(name, _)| *name == "tls-cert-file");
        Self::start_in(new_folder(), has_tls, arguments(&[&replication_settings(), settings].concat()))
    }

    /// Returns the port for clients and replicas: with TLS if the server has it.
    pub(crate) fn client_port(&self) -> u16 {
        self.tls_port.unwrap_or(self.port)
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

    /// Like [`connect`](Self::connect), for a server with a password.
    pub async fn connect_as(&self, password: &str) -> redis::aio::MultiplexedConnection {
        let url = format!("redis://:{password}@{}", self.address());
        let client = redis::Client::open(url).expect("a well-formed URL");
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

    /// Runs a command and returns its reply as text.
    pub async fn command(&self, words: &[&str]) -> String {
        let (first, rest) = words.split_first().expect("a command has a name");
        let answer = redis::cmd(first).arg(rest).query_async(&mut self.connect().await).await;
        text(&answer.expect("the private Redis answers"))
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
        drop(self.running().take());
    }

    /// Whether the server was neither killed nor frozen.
    pub fn is_available(&self) -> bool {
        self.running().is_some() && !self.is_frozen.load(Ordering::Relaxed)
    }

    /// Sends SIGSTOP: connections stay open without a response until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.is_frozen.store(true, Ordering::Relaxed);
        self.signal(Signal::STOP);
    }

    /// Sends SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
        self.is_frozen.store(false, Ordering::Relaxed);
    }

    /// Kills the server if it runs, and starts it again on the same port with its data.
    pub fn restart(&self) {
        self.kill();
        let running = launch(self.port, self.folder.path(), &self.arguments).expect("the port is still free");
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

/// Writes settings as arguments. A value may have several words.
fn arguments(settings: &[(&str, String)]) -> Vec<String> {
    let words = settings.iter().flat_map(|(name, value)| {
        std::iter::once(format!("--{name}")).chain(value.split(' ').map(Into::into))
    });
    words.collect()
}

pub(crate) fn text(value: &redis::Value) -> String {
    let mut texts = Vec::new();
    collect(value, &mut texts);
    texts.join(" ")
}

fn collect(value: &redis::Value, texts: &mut Vec<String>) {
    match value {
        redis::Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        redis::Value::Nil => {}
        scalar => texts.push(redis::from_redis_value_ref(scalar).expect("a value of Redis is a text")),
    }
}

/// Starts the server on `port`. Returns `None` if the server stopped before it responded.
fn launch(port: u16, folder: &Path, arguments: &[String]) -> Option<Running> {
    let port_text = port.to_string();
    let own = [
        "--port",
        &port_text,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "no",
    ];
    let arguments = own.into_iter().map(String::from).chain(arguments.iter().cloned()).collect::<Vec<_>>();
    redis_process::launch(&arguments, folder, port)
}
