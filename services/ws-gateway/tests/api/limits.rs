//! Limits, over all replicas.

use serde_json::{Value, json};
use testing::{Backend, Socket, eventually};

use crate::app::App;
use crate::stock::{Closed, Stock};

const LIMIT: [&str; 2] = ["--gateway-messages-per-second", "1"];
// Each waits a second for its turn; five may in a row.
const TOO_MANY: usize = 8;

fn warning(message: &str) -> Value {
    json!({ "limit": 1, "windowMs": 1000, "message": message, "dropped": false })
}

#[actix_web::test]
async fn too_many_messages_bring_a_warning_and_then_the_end() {
    let app = App::start_with(Backend::Memory, &LIMIT).await;
    let mut plain = app.plain(&app.token("alice")).await;
    let mut stock = app.stock("/", &app.token("bob")).await;
    for _ in 0..TOO_MANY {
        plain.send(&json!({ "type": "ping" })).await;
        stock.emit("/", "noise", &[]).await;
    }
    assert_eq!(plain.next_event("rate_limit.warning").await["payload"], warning("ping"));
    assert_eq!(plain.closed().await, Some(4429));
    let (packets, closed) = stock.closed().await;
    assert_eq!(packets[0], format!(r#"42["rate_limit.warning",{}]"#, warning("noise")));
    assert_eq!(closed, Closed(Some(4429)));
    assert_eq!(app.metric("ws_disconnects_total{code=\"4429\"}").await, 2.0);
}

#[actix_web::test]
async fn a_message_too_many_waits_for_its_turn_and_is_not_lost() {
    let app = App::start_with(Backend::Memory, &LIMIT).await;
    let mut plain = app.plain(&app.token("alice")).await;
    let mut stock = app.stock("/", &app.token("bob")).await;
    for id in 1..=3 {
        plain.send(&json!({ "type": "ping", "id": id })).await;
    }
    for id in 1..=3 {
        let ack = plain.next_event("ack").await;
        assert_eq!((&ack["id"], &ack["success"]), (&json!(id), &json!(true)));
    }
    stock.emit("/", "noise", &[]).await;
    assert_eq!(stock.ask("/", "unsubscribe:alerts", &[]).await["success"], true);
    // It asked for no answer to the first one, and learns which message had to wait all the same.
    assert_eq!(stock.event("/", "rate_limit.warning").await, warning("unsubscribe:alerts"));
}

#[actix_web::test]
async fn the_subscriptions_of_a_new_socket_are_not_counted() {
    let app = App::start_with(Backend::Memory, &LIMIT).await;
    let token = app.token("alice");
    for _ in 0..4 {
        let mut plain = app.plain(&token).await;
        let mut stock = app.stock("/", &token).await;
        for room in ["drifts", "alerts"] {
            plain.send(&json!({ "type": "subscribe", "room": room })).await;
            stock.emit("/", &format!("subscribe:{room}"), &[]).await;
        }
        app.publish("ws:room:alerts", None, json!({ "hello": 1 })).await;
        app.publish("ws:room:drifts", None, json!({ "hello": 2 })).await;
        eventually("both sockets to be in both rooms", async || {
            let sockets = app.admin().get("/api/realtime/users/alice/connections").await.data();
            let sockets = sockets["connections"].as_array().unwrap().clone();
            sockets.iter().all(|socket| socket["rooms"].as_array().unwrap().len() >= 6)
        })
        .await;
        assert_eq!(app.metric("ws_messages_dropped_total{reason=\"rate_limit\"}").await, 0.0);
    }
}

#[actix_web::test]
async fn messages_of_a_user_are_counted_over_all_replicas() {
    let app = App::start_two(&LIMIT).await;
    let token = app.token("alice");
    let mut here = app.gateways[0].plain(&token).await;
    let mut there = app.gateways[1].plain(&token).await;
    for _ in 0..3 {
        here.send(&json!({ "type": "ping" })).await;
    }
    here.next_event("rate_limit.warning").await;
    there.send(&json!({ "type": "ping", "id": 1 })).await;
    there.next_event("rate_limit.warning").await;
    assert_eq!(there.next_event("ack").await["success"], true);
}

#[actix_web::test]
async fn sockets_of_a_user_are_counted_over_all_replicas() {
    let app = App::start_two(&["--gateway-sockets-per-user", "2"]).await;
    let token = app.token("alice");
    let first = app.gateways[0].plain(&token).await;
    let _second = app.gateways[1].plain(&token).await;
    let mut third = Stock::open(&app.gateways[1]).await;
    assert_eq!(third.refusal("/", &json!({ "token": token })).await["data"]["code"], "RATE_LIMITED");
    let mut fourth = Socket::connect(&app.gateways[0].ws(&format!("/ws?token={token}"))).await;
    assert_eq!(fourth.closed().await, Some(4429));
    app.gateways[0].plain(&app.token("bob")).await;

    first.close().await;
    eventually("the place is free again", async || {
        let mut stock = Stock::open(&app.gateways[1]).await;
        stock.send(&format!("40{}", json!({ "token": token }))).await;
        stock.text().await.unwrap().starts_with("40")
    })
    .await;
}

#[actix_web::test]
async fn a_recount_that_reaches_no_other_replica_releases_no_slot() {
    let app = App::start_two(&["--gateway-sockets-per-user", "2"]).await;
    let token = app.token("alice");
    let _open = [app.gateways[1].plain(&token).await, app.gateways[1].plain(&token).await];
    let mut redis = app.stores.redis().connect().await;
    let deny = ["SETUSER", "default", "-publish"];
    redis::cmd("ACL").arg(&deny).query_async::<()>(&mut redis).await.unwrap();
    let mut third = Socket::connect(&app.ws(&format!("/ws?token={token}"))).await;
    assert_eq!(third.closed().await, Some(4429));
    let holders = app.platform.backplane().keys.holders("ws:user:alice");
    assert!(holders.await.unwrap().len() >= 2);
}

#[actix_web::test]
async fn sockets_of_an_address_are_limited_where_that_is_asked_for() {
    let app = App::start_with(Backend::Memory, &["--gateway-sockets-per-ip", "2"]).await;
    let _one = app.plain(&app.token("alice")).await;
    let _two = app.plain(&app.token("bob")).await;
    let mut three = Socket::connect(&app.ws(&format!("/ws?token={}", app.token("carol")))).await;
    assert_eq!(three.closed().await, Some(4429));
}
