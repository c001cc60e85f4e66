//! Servers of Redis that replicate each other.

use crate::redis_server::{PrivateRedis, text};
use crate::redis_settings::REPLICATION;
use crate::waiting::eventually;

impl PrivateRedis {
    /// Makes this server a replica of another one, and waits until it has all data.
    pub async fn follow(&self, primary: &Self) {
        self.command(&["REPLICAOF", "127.0.0.1", &primary.client_port().to_string()]).await;
        eventually("the replica to follow", async || {
            self.command(&["INFO", "replication"]).await.contains("master_link_status:up")
        })
        .await;
    }

    /// Hands over to a replica without losing a write, as in a planned failover. The old primary keeps
    /// running, read-only and with its connections open, and receives nothing from the new primary.
    pub async fn fail_over_to(&self, replica: &Self) {
        self.command(&["FAILOVER", "TO", "127.0.0.1", &replica.address().port().to_string()]).await;
        eventually("the replica to be the primary", async || replica.is_primary().await).await;
        self.command(&["REPLICAOF", "127.0.0.1", "1"]).await;
    }

    /// Waits until a replica has everything that this server has now.
    pub async fn until_replicated(&self) {
        let number = |text: &str, name: &str| {
            let mut fields = text.split([',', '\r', '\n']);
            fields.find_map(|field| field.strip_prefix(name)?.parse::<u64>().ok())
        };
        let info = async || self.command(&["INFO", "replication"]).await;
        let written = number(&info().await, "master_repl_offset:").expect("the offset of the server");
        eventually("a replica to have everything", async || {
            number(&info().await, "offset=").is_some_and(|received| received >= written)
        })
        .await;
    }

    /// Disconnects the replicas for good: they cannot log in again until this server is restarted. Only for a
    /// member of a group.
    pub async fn cut_off_replicas(&self) {
        self.command(&["ACL", "DELUSER", REPLICATION]).await;
    }

    /// Whether the server is a replica right now.
    pub async fn is_replica(&self) -> bool {
        self.role().await.is_some_and(|role| role.starts_with("slave"))
    }

    /// Whether the server is a replica of `primary` and has a working connection to it.
    pub(crate) async fn is_replica_of(&self, primary: &Self) -> bool {
        let following = format!("slave 127.0.0.1 {} connected", primary.client_port());
        self.role().await.is_some_and(|role| role.starts_with(&following))
    }

    /// Whether the server is a primary right now.
    pub async fn is_primary(&self) -> bool {
        self.role().await.is_some_and(|role| role.starts_with("master"))
    }

    /// Returns the reply to `ROLE`; `None` if the server was killed or frozen.
    async fn role(&self) -> Option<String> {
        if !self.is_available() {
            return None;
        }
        let client = redis::Client::open(self.url()).expect("a well-formed URL");
        // A server that becomes a replica closes its connections.
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        Some(text(&redis::cmd("ROLE").query_async(&mut connection).await.ok()?))
    }
}
