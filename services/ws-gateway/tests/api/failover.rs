//! Redis moves to a new primary, and the old one stays: read-only, its connections open.

use std::cell::Cell;
use std::time::{Duration, Instant};

use backplane::Entry;
use contracts::events::alert::AlertClosed;
use contracts::events::auth::{EndReason, SessionDeleted};
use serde_json::json;
use testing::{PrivateRedis, Proxy, Socket, eventually};
use uuid::Uuid;

use crate::app::Gateway;
use crate::stock::Stock;

/// Publishes as a relay of the outbox does: again until it is known to have been published.
async fn publish(gateway: &Gateway, entries: &[Entry]) {
    while gateway.platform.backplane().log.append(entries).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn alert(gateway: &Gateway, number: u128) -> Entry {
    Entry::of(AlertClosed { id: Uuid::from_u128(number) }, gateway.platform.clock()).unwrap()
}

#[actix_web::test]
async fn a_failover_under_load_loses_no_event_closes_no_socket_and_delays_no_revocation_s70() {
    let (old, new) = (PrivateRedis::start(), PrivateRedis::start());
    new.follow(&old).await;
    let address = Proxy::start(old.address()).await;
    let url = format!("redis://{}", address.address());
    let gateways = [Gateway::start_at(&url, &[]).await, Gateway::start_at(&url, &[]).await];
    let mut plain = Vec::new();
    let mut stock = Vec::new();
    for gateway in &gateways {
        let mut socket: Socket = gateway.plain(&gateway.token("alice")).await;
        socket.send(&json!({ "type": "subscribe", "room": "alerts", "id": 1 })).await;
        socket.next_event("ack").await;
        plain.push(socket);
        let mut socket: Stock = gateway.stock("/", &gateway.token("bob")).await;
        socket.ask("/", "subscribe:alerts", &[]).await;
        stock.push(socket);
    }
    let user_id = Uuid::new_v4();
    let claims = gateways[1].claims(&user_id.to_string());
    let token = gateways[1].sign(&claims);
    let mut ending = gateways[1].plain(&token).await;

    let (published, moved) = (Cell::new(0), Cell::new(false));
    let load = async {
        let mut after = 0;
        while after < 200 {
            let numbers = published.get()..published.get() + 10;
            let entries = numbers.map(|number| alert(&gateways[0], number)).collect::<Vec<_>>();
            publish(&gateways[0], &entries).await;
            published.set(published.get() + 10);
            after += if moved.get() { 10 } else { 0 };
        }
    };
    let fail_over = async {
        eventually("some events", async || published.get() > 500).await;
        address.lead_to(new.address());
        old.fail_over_to(&new).await;
        moved.set(true);
        let since = Instant::now();
        let session_id = claims.sid.unwrap();
        let ended = SessionDeleted { user_id, session_id, reason: EndReason::Logout };
        publish(&gateways[0], &[Entry::of(ended, gateways[0].platform.clock()).unwrap()]).await;
        assert_eq!(ending.closed().await, Some(4403));
        eventually("the token to be refused everywhere", async || {
            gateways.iter().all(|gateway| gateway.platform.tokens().verifier.verify(&token).is_err())
        })
        .await;
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    };
    tokio::join!(load, fail_over);

    for expected in 0..published.get() {
        let expected = Uuid::from_u128(expected).to_string();
        for socket in &mut plain {
            assert_eq!(socket.next().await["payload"]["id"], expected);
        }
        for socket in &mut stock {
            assert_eq!(socket.event("/", "alert:closed").await["id"], expected);
        }
    }
    for gateway in &gateways {
        assert_eq!(
            gateway.counts("ws_disconnects_total").iter().filter(|line| !line.contains("4403")).count(),
            0
        );
        eventually("the gateway to be well", async || gateway.platform.backplane().is_connected()).await;
        let health = gateway.client.get("/health").await.json();
        assert_eq!(health["dependencies"]["backplane"]["status"], "up");
        gateway.stock("/", &gateway.token("carol")).await;
    }
}

#[actix_web::test]
async fn a_redis_that_takes_no_writes_is_reported_s70() {
    let (redis, other) = (PrivateRedis::start(), PrivateRedis::start());
    let gateway = Gateway::start_at(&redis.url(), &[]).await;
    let mut open = gateway.plain(&gateway.token("alice")).await;
    redis.follow(&other).await;
    eventually("the report", async || {
        let health = gateway.client.get("/health").await.json();
        let backplane = &health["dependencies"]["backplane"];
        health["status"] == "degraded" && backplane["message"] == "Redis is read-only"
    })
    .await;
    assert_eq!(gateway.metric("backplane_connected ").await, 0.0);
    // Open sockets and requests go on with what is known.
    gateway.client.get("/ready").await.data();
    open.send(&json!({ "type": "ping", "id": 1 })).await;
    assert_eq!(open.next_event("ack").await["success"], true);
}
