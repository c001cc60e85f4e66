use std::process::Command;

use tempfile::TempDir;

use crate::redis_server::PrivateRedis;
use crate::redis_settings::tls_settings;
use crate::tls::Authority;
use crate::waiting::{eventually, free_port, wait_for};

/// Silence after which the members count one as down, in milliseconds.
const NODE_TIMEOUT: u32 = 2_000;

/// A cluster of six processes: three primaries, each with a replica.
pub struct PrivateCluster {
    members: Vec<PrivateRedis>,
    _certificates: Option<TempDir>,
}

impl PrivateCluster {
    /// Starts the members and joins them (about 5 s).
    pub async fn start() -> Self {
        Self::start_with(None, &[]).await
    }

    /// Like [`start`](Self::start), with TLS between all members. The members also have a user with all permissions.
    pub async fn start_with_tls(authority: &Authority, user: &str, password: &str) -> Self {
        let (folder, settings) = tls_settings(authority, user, password);
        Self::start_with(Some(folder), &settings).await
    }

    async fn start_with(certificates: Option<TempDir>, settings: &[(&str, String)]) -> Self {
        let member = |_| {
            let own = [
                ("cluster-enabled", "yes".to_owned()),
                ("cluster-port", free_port().to_string()),
                ("cluster-node-timeout", NODE_TIMEOUT.to_string()),
                ("cluster-announce-ip", "127.0.0.1".to_owned()),
            ];
            PrivateRedis::start_member(&[&own, settings].concat())
        };
        let members = (0..6).map(member).collect::<Vec<_>>();
        let join = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(members.iter().map(|member| member.address().to_string()))
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .expect("redis-cli is installed");
        assert!(join.status.success(), "{}", String::from_utf8_lossy(&join.stdout));
        let cluster = Self { members, _certificates: certificates };
        cluster.until_whole().await;
        cluster
    }

    /// Returns `redis+cluster://host:port,…` with the first two members.
    pub fn url(&self) -> String {
        let hosts = self.members.iter().take(2).map(|member| member.address().to_string());
        format!("redis+cluster://{}", hosts.collect::<Vec<_>>().join(","))
    }

    /// Returns `rediss+cluster://login@host:port,…` with the first two members, for a cluster with TLS.
    pub fn tls_url(&self, login: &str) -> String {
        let hosts = self.members.iter().take(2).map(|member| format!("127.0.0.1:{}", member.client_port()));
        format!("rediss+cluster://{login}@{}", hosts.collect::<Vec<_>>().join(","))
    }

    /// Returns the members. The first three started as primaries.
    pub fn members(&self) -> &[PrivateRedis] {
        &self.members
    }

    /// Waits until every primary has a replica, and every member sees that.
    pub async fn until_whole(&self) {
        for member in &self.members {
            eventually("the member to see the whole cluster", async || {
                let info = member.command(&["CLUSTER", "INFO"]).await;
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:6")
            })
            .await;
            eventually("the member to have a replica, or a primary", async || {
                let info = member.command(&["INFO", "replication"]).await;
                info.contains("master_link_status:up") || info.contains("connected_slaves:1")
            })
            .await;
        }
    }

    /// Makes the replica of a primary the primary, without losing a write.
    pub async fn fail_over(&self, primary: &PrivateRedis) {
        let replica = wait_for("the primary to have a replica", async || {
            for member in &self.members {
                if member.is_replica_of(primary).await {
                    return Some(member);
                }
            }
            None
        })
        .await;
        replica.command(&["CLUSTER", "FAILOVER"]).await;
        eventually("the replica to be the primary", async || replica.is_primary().await).await;
    }

    /// Returns the member that holds a key. Waits until one of them does.
    pub async fn holder_of(&self, key: &str) -> &PrivateRedis {
        wait_for("a member to hold the key", async || {
            for member in &self.members {
                if !member.is_primary().await {
                    continue;
                }
                let exists =
                    redis::cmd("EXISTS").arg(key).query_async::<u64>(&mut member.connect().await).await;
                if exists.is_ok() {
                    return Some(member);
                }
            }
            None
        })
        .await
    }

    /// Begins to move the slot of a key to another primary. Returns the two members.
    pub async fn begin_to_move(&self, key: &str) -> (&PrivateRedis, &PrivateRedis) {
        let source = self.holder_of(key).await;
        let mut target = None;
        for member in &self.members {
            if !std::ptr::eq(member, source) && member.is_primary().await {
                target = Some(member);
            }
        }
        let target = target.expect("another primary");
        let slot = source.command(&["CLUSTER", "KEYSLOT", key]).await;
        let (from, to) =
            (source.command(&["CLUSTER", "MYID"]).await, target.command(&["CLUSTER", "MYID"]).await);
        target.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from]).await;
        source.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to]).await;
        (source, target)
    }

    /// Moves the keys of a slot that is being moved, and ends the move.
    pub async fn finish_move(&self, key: &str, (source, target): (&PrivateRedis, &PrivateRedis)) {
        let slot = source.command(&["CLUSTER", "KEYSLOT", key]).await;
        let port = target.address().port().to_string();
        loop {
            let keys = source.command(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]).await;
            if keys.is_empty() {
                break;
            }
            let migrate = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
            source.command(&migrate.into_iter().chain(keys.split(' ')).collect::<Vec<_>>()).await;
        }
        let to = target.command(&["CLUSTER", "MYID"]).await;
        for member in [target, source] {
            member.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &to]).await;
        }
    }
}
