//! The backplane goes away and comes back.

use std::time::Duration;

use backplane::Entry;
use contracts::events::alert::AlertClosed;
use contracts::events::auth::{EndReason, SessionDeleted};
use serde_json::json;
use testing::{Backend, eventually};
use uuid::Uuid;

use crate::app::App;
use crate::stock::Stock;

/// Publishes as the outbox does: again and again until it is known to have been.
async fn persist(app: &App, event: impl contracts::Event) {
    let platform = &app.gateway().platform;
    let entry = Entry::of(event, platform.clock()).unwrap();
    eventually("the event to be in the log", async || {
        platform.backplane().log.append(std::slice::from_ref(&entry)).await.is_ok()
    })
    .await;
}

#[actix_web::test]
async fn redis_goes_away_and_no_socket_is_closed_and_no_event_lost() {
    let app = App::start_two(&[]).await;
    let mut sockets = Vec::new();
    for gateway in &app.gateways {
        let mut socket = gateway.plain(&gateway.token("alice")).await;
        socket.send(&json!({ "type": "subscribe", "room": "alerts", "id": 1 })).await;
        socket.next_event("ack").await;
        sockets.push(socket);
    }
    let mut ids = Vec::new();
    for round in 0..3 {
        for _ in 0..5 {
            let id = Uuid::new_v4();
            persist(&app, AlertClosed { id }).await;
            ids.push(id);
        }
        if round < 2 {
            app.stores.redis().restart();
        }
    }
    for socket in &mut sockets {
        for id in &ids {
            assert_eq!(socket.next_event("alert:closed").await["payload"]["id"], id.to_string());
        }
        socket.assert_silence().await;
    }
}

#[actix_web::test]
async fn a_session_that_ends_while_redis_is_away_is_closed_when_it_is_back_s51() {
    let app = App::start_with(Backend::Real, &[]).await;
    let user_id = Uuid::new_v4();
    let claims = app.claims(&user_id.to_string());
    let mut socket = app.plain(&app.sign(&claims)).await;
    app.stores.redis().kill();
    eventually("the gateway to notice", async || !app.platform.backplane().is_connected()).await;

    socket.send(&json!({ "type": "subscribe", "room": "drifts", "id": 1 })).await;
    socket.send(&json!({ "type": "ping", "id": 2 })).await;
    assert_eq!(socket.next_event("ack").await["id"], 2, "what needs no backplane goes on");
    let mut stock = Stock::open(&app).await;
    stock.join("/", &app.token("bob")).await;

    app.stores.redis().restart();
    let ack = socket.next_event("ack").await;
    assert_eq!((&ack["id"], &ack["success"]), (&json!(1), &json!(true)), "once it would outlive the gateway");
    let session_id = claims.sid.unwrap();
    persist(&app, SessionDeleted { user_id, session_id, reason: EndReason::Logout }).await;
    let closed = tokio::time::timeout(Duration::from_secs(5), socket.closed()).await;
    assert_eq!(closed.unwrap(), Some(4403));
}

#[actix_web::test]
async fn few_acknowledgements_of_a_connection_wait_for_redis() {
    let app = App::start_with(Backend::Real, &[]).await;
    let mut socket = app.plain(&app.token("alice")).await;
    app.stores.redis().kill();
    eventually("the gateway to notice", async || !app.platform.backplane().is_connected()).await;

    for (id, kind) in ["subscribe", "unsubscribe", "subscribe", "unsubscribe", "subscribe"].iter().enumerate()
    {
        socket.send(&json!({ "type": kind, "room": "drifts", "id": id })).await;
    }
    let ack = socket.next_event("ack").await;
    assert_eq!((&ack["id"], &ack["error"]["code"]), (&json!(4), &json!("UNAVAILABLE")));

    app.stores.redis().restart();
    let mut acknowledged = Vec::new();
    for _ in 0..4 {
        let ack = socket.next_event("ack").await;
        assert_eq!(ack["success"], true);
        acknowledged.push(ack["id"].as_u64());
    }
    acknowledged.sort_unstable();
    assert_eq!(acknowledged, [Some(0), Some(1), Some(2), Some(3)]);
}

#[actix_web::test]
async fn failed_attempts_while_redis_is_away_count_when_it_is_back_s43() {
    let app = App::start_with(Backend::Real, &[]).await;
    let fail = async |times: usize| {
        for _ in 0..times {
            let mut stock = Stock::open(&app).await;
            let refusal = stock.refusal("/", &json!({ "token": "x" })).await;
            assert_eq!(refusal["data"]["code"], "INVALID_TOKEN");
        }
    };
    app.stores.redis().kill();
    eventually("the gateway to notice", async || !app.platform.backplane().is_connected()).await;
    fail(3).await;
    app.stores.redis().restart();
    eventually("the gateway to be back", async || app.platform.backplane().is_connected()).await;
    fail(2).await;
    let mut stock = Stock::open(&app).await;
    let refusal = stock.refusal("/", &json!({ "token": "x" })).await;
    assert_eq!(refusal["data"]["code"], "RATE_LIMITED");
}

#[actix_web::test]
async fn a_log_that_is_lost_is_said_to_be() {
    let app = App::start_with(Backend::Real, &[]).await;
    let mut plain = app.plain(&app.token("alice")).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    persist(&app, AlertClosed { id: Uuid::new_v4() }).await;
    app.stores.redis().restart_empty();
    assert_eq!(plain.next_event("resync").await["payload"], json!({ "reason": "log_lost" }));
    assert_eq!(stock.event("/", "resync").await, json!({ "reason": "log_lost" }));
    stock.ask("/", "subscribe:alerts", &[]).await;
    let id = Uuid::new_v4();
    persist(&app, AlertClosed { id }).await;
    assert_eq!(stock.event("/", "alert:closed").await["id"], id.to_string());
}
