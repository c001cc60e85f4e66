use std::fs;

use tempfile::TempDir;

use crate::redis_process::{self, Running};
use crate::redis_server::PrivateRedis;
use crate::redis_settings::{new_folder, tls_settings};
use crate::tls::Authority;
use crate::waiting::{eventually, free_port, wait_for};

/// The name under which the Sentinels know the primary.
const NAME: &str = "main";
/// Silence after which a Sentinel counts the primary as down, in milliseconds.
const DOWN_AFTER: u32 = 2_000;

/// Interval at which a Sentinel asks the servers for their state, in milliseconds; otherwise 10 s.
const INFO_PERIOD: &str = "1000";

/// A primary, a replica, and three Sentinels that promote the replica if the primary is down.
pub struct PrivateSentinels {
    sentinels: Vec<Sentinel>,
    servers: [PrivateRedis; 2],
    _certificates: Option<TempDir>,
}

struct Sentinel {
    port: u16,
    tls_port: Option<u16>,
    // Ends before its folder is deleted.
    _running: Running,
    _folder: TempDir,
}

impl PrivateSentinels {
    /// Starts all processes, and waits until the Sentinels know each other and the replica (about 4 s).
    pub async fn start() -> Self {
        Self::start_with(None, &[]).await
    }

    /// Like [`start`](Self::start), with TLS between all processes. Servers and Sentinels also have a user with all
    /// permissions.
    pub async fn start_with_tls(authority: &Authority, user: &str, password: &str) -> Self {
        let (folder, settings) = tls_settings(authority, user, password);
        Self::start_with(Some(folder), &settings).await
    }

    async fn start_with(certificates: Option<TempDir>, settings: &[(&str, String)]) -> Self {
        let servers = [PrivateRedis::start_member(settings), PrivateRedis::start_member(settings)];
        servers[1].follow(&servers[0]).await;
        let port = servers[0].client_port();
        let sentinels = (0..3).map(|_| Sentinel::start(port, settings, certificates.is_some())).collect();
        let group = Self { sentinels, servers, _certificates: certificates };
        group.until_whole().await;
        group
    }

    /// Returns `redis+sentinel://host:port,…/name`.
    pub fn url(&self) -> String {
        format!("redis+sentinel://{}", self.servers_and_name(|sentinel| sentinel.port))
    }

    /// Returns `rediss+sentinel://login@host:port,…/name`, for Sentinels with TLS.
    pub fn tls_url(&self, login: &str) -> String {
        let rest = self.servers_and_name(|sentinel| sentinel.tls_port.expect("this Sentinel has TLS"));
        format!("rediss+sentinel://{login}@{rest}")
    }

    fn servers_and_name(&self, port: impl Fn(&Sentinel) -> u16) -> String {
        let hosts = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", port(sentinel)));
        format!("{}/{NAME}", hosts.collect::<Vec<_>>().join(","))
    }

    /// Returns the server that started as the primary, and the one that started as its replica.
    pub fn servers(&self) -> &[PrivateRedis; 2] {
        &self.servers
    }

    /// Returns the primary and its replica. Waits until both servers are what they should be.
    pub async fn roles(&self) -> (&PrivateRedis, &PrivateRedis) {
        let [first, second] = &self.servers;
        wait_for("a primary and its replica", async || {
            for (primary, replica) in [(first, second), (second, first)] {
                if primary.is_primary().await && replica.is_replica_of(primary).await {
                    return Some((primary, replica));
                }
            }
            None
        })
        .await
    }

    /// Waits until the Sentinels would promote the replica if the primary died.
    pub async fn until_whole(&self) {
        let (primary, _) = self.roles().await;
        for sentinel in &self.sentinels {
            eventually("the Sentinels to know each other and the replica", async || {
                sentinel.primary() == Some(primary.client_port()) && sentinel.is_ready()
            })
            .await;
        }
    }

    /// Hands over to the replica without losing a write: writes wait until the primary has become a replica.
    pub async fn fail_over(&self) {
        let (primary, replica) = self.roles().await;
        primary.command(&["CLIENT", "PAUSE", "10000", "WRITE"]).await;
        primary.until_replicated().await;
        self.fail_over_at_once().await;
        primary.follow(replica).await;
        primary.command(&["CLIENT", "UNPAUSE"]).await;
    }

    /// Makes the Sentinels promote the replica, although the primary works. They demote the primary only after some
    /// seconds, and until then it accepts writes, which are lost.
    pub async fn fail_over_at_once(&self) {
        let (_, replica) = self.roles().await;
        self.sentinels[0].ask::<String>(&["FAILOVER", NAME]);
        self.until_primary(replica).await;
    }

    /// Waits until the other server is a primary.
    pub async fn until_promoted(&self, old: &PrivateRedis) {
        let replica = self.servers.iter().find(|server| !std::ptr::eq(*server, old)).expect("two servers");
        eventually("the replica to be the primary", async || replica.is_primary().await).await;
    }

    /// Waits until the Sentinels have made a server the primary.
    pub async fn until_primary(&self, server: &PrivateRedis) {
        let expected = server.client_port();
        eventually("the Sentinels to name the new primary", async || {
            self.sentinels.iter().all(|sentinel| sentinel.primary() == Some(expected))
        })
        .await;
        eventually("the server to be the primary", async || server.is_primary().await).await;
    }
}

impl Sentinel {
    fn start(primary: u16, settings: &[(&str, String)], has_tls: bool) -> Self {
        let folder = new_folder();
        let file = folder.path().join("sentinel.conf");
        let (port, tls_port) = (free_port(), has_tls.then(free_port));
        let lines = [
            format!("port {port}"),
            "bind 127.0.0.1".into(),
            format!("sentinel monitor {NAME} 127.0.0.1 {primary} 2"),
            format!("sentinel down-after-milliseconds {NAME} {DOWN_AFTER}"),
            format!("sentinel failover-timeout {NAME} 4000"),
        ];
        let settings = settings.iter().map(|(name, value)| format!("{name} {value}"));
        let listen = tls_port.map(|port| format!("tls-port {port}"));
        let lines = listen.into_iter().chain(settings).chain(lines).collect::<Vec<_>>();
        fs::write(&file, lines.join("\n")).expect("the folder is writable");
        let arguments = [file.display().to_string(), "--sentinel".into()];
        let running = redis_process::launch(&arguments, folder.path(), port).expect("the Sentinel starts");
        let sentinel = Self { port, tls_port, _running: running, _folder: folder };
        sentinel.ask::<redis::Value>(&["DEBUG", "info-period", INFO_PERIOD]);
        sentinel
    }

    fn is_ready(&self) -> bool {
        let primary = self.ask::<Vec<String>>(&["MASTER", NAME]);
        let replicas = self.ask::<Vec<Vec<String>>>(&["REPLICAS", NAME]);
        field(&primary, "num-other-sentinels") == Some("2")
            && field(&primary, "flags") == Some("master")
            && replicas.len() == 1
            && field(&replicas[0], "flags") == Some("slave")
            && field(&replicas[0], "master-link-status") == Some("ok")
    }

    fn primary(&self) -> Option<u16> {
        let (_, port) = self.ask::<Option<(String, u16)>>(&["GET-MASTER-ADDR-BY-NAME", NAME])?;
        Some(port)
    }

    fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(("127.0.0.1", self.port)).expect("a well-formed address");
        let mut connection = client.get_connection().expect("the Sentinel answers");
        redis::cmd("SENTINEL").arg(words).query(&mut connection).expect("the Sentinel answers")
    }
}

fn field<'a>(state: &'a [String], name: &str) -> Option<&'a str> {
    let at = state.iter().position(|field| field == name)?;
    state.get(at + 1).map(String::as_str)
}
