//! Sentinels promote a replica, a cluster promotes one, or a slot moves: sockets stay open and miss nothing.

use std::time::{Duration, Instant};

use backplane::Entry;
use contracts::Event;
use contracts::events::alert::AlertClosed;
use contracts::events::auth::{EndReason, SessionDeleted};
use serde_json::json;
use testing::{PrivateCluster, PrivateSentinels, Socket, eventually};
use uuid::Uuid;

use crate::app::Gateway;
use crate::stock::Stock;

/// Longest time from the promotion until a gateway delivers and revokes again.
const LIMIT: Duration = Duration::from_secs(5);
const KEY: &str = "{driftsentry}:log";

/// Two gateways with open sockets of each protocol.
struct World {
    gateways: [Gateway; 2],
    plain: Vec<Socket>,
    stock: Vec<Stock>,
}

impl World {
    async fn start(url: &str) -> Self {
        let gateways = [Gateway::start_at(url, &[]).await, Gateway::start_at(url, &[]).await];
        let (mut plain, mut stock) = (Vec::new(), Vec::new());
        for gateway in &gateways {
            let mut socket = gateway.plain(&gateway.token("alice")).await;
            socket.send(&json!({ "type": "subscribe", "room": "alerts", "id": 1 })).await;
            socket.next_event("ack").await;
            plain.push(socket);
            let mut socket = gateway.stock("/", &gateway.token("bob")).await;
            socket.ask("/", "subscribe:alerts", &[]).await;
            stock.push(socket);
        }
        Self { gateways, plain, stock }
    }

    /// Publishes as an outbox does: again until the log has the event.
    async fn publish(&self, event: impl Event) {
        let gateway = &self.gateways[0];
        let entry = Entry::of(event, gateway.platform.clock()).unwrap();
        eventually("the log takes the event", async || {
            gateway.platform.backplane().log.append(std::slice::from_ref(&entry)).await.is_ok()
        })
        .await;
    }

    /// Publishes an event. It must be the next message of every socket.
    async fn assert_delivers(&mut self) {
        let id = Uuid::new_v4();
        self.publish(AlertClosed { id }).await;
        for socket in &mut self.plain {
            assert_eq!(socket.next().await["payload"]["id"], id.to_string());
        }
        for socket in &mut self.stock {
            assert_eq!(socket.event("/", "alert:closed").await["id"], id.to_string());
        }
    }

    /// Runs a failover. In time after it, events arrive on the sockets that were open before, and the end of a
    /// session closes its socket.
    async fn assert_survives(&mut self, fail_over: impl Future<Output = ()>) {
        let user_id = Uuid::new_v4();
        let claims = self.gateways[1].claims(&user_id.to_string());
        let mut ending = self.gateways[1].plain(&self.gateways[1].sign(&claims)).await;
        self.assert_delivers().await;
        fail_over.await;
        let since = Instant::now();
        self.assert_delivers().await;
        let session_id = claims.sid.unwrap();
        self.publish(SessionDeleted { user_id, session_id, reason: EndReason::Logout }).await;
        assert_eq!(ending.closed().await, Some(4403));
        assert!(since.elapsed() < LIMIT, "{:?}", since.elapsed());
        for gateway in &self.gateways {
            let closed = gateway.counts("ws_disconnects_total");
            assert!(closed.iter().all(|line| line.contains("4403")), "{closed:?}");
        }
    }
}

#[actix_web::test]
async fn sentinels_promote_a_replica_and_no_socket_notices() {
    let group = PrivateSentinels::start().await;
    let [first, second] = group.servers();
    let mut world = World::start(&group.url()).await;
    world
        .assert_survives(async {
            first.until_replicated().await;
            first.kill();
            group.until_primary(second).await;
        })
        .await;
}

#[actix_web::test]
async fn a_cluster_promotes_a_replica_and_no_socket_notices() {
    let cluster = PrivateCluster::start().await;
    let mut world = World::start(&cluster.url()).await;
    world
        .assert_survives(async {
            let holder = cluster.holder_of(KEY).await;
            holder.until_replicated().await;
            holder.kill();
            cluster.holder_of(KEY).await;
        })
        .await;
}

#[actix_web::test]
async fn a_slot_moves_and_no_socket_notices() {
    let cluster = PrivateCluster::start().await;
    let mut world = World::start(&cluster.url()).await;
    world
        .assert_survives(async {
            let members = cluster.begin_to_move(KEY).await;
            cluster.finish_move(KEY, members).await;
        })
        .await;
}
