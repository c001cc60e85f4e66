//! Limits, over all replicas.

use serde_json::json;
use testing::{Backend, Socket, eventually};

use crate::app::App;
use crate::stock::{Closed, Stock};

// Six messages are too many for a limit of one, however they fall into windows.
const LIMIT: [&str; 2] = ["--gateway-messages-per-second", "1"];
const TOO_MANY: usize = 6;

#[actix_web::test]
async fn too_many_messages_bring_a_warning_and_then_the_end() {
    let app = App::start_with(Backend::Memory, &LIMIT).await;
    let mut plain = app.plain(&app.token("alice")).await;
    for _ in 0..TOO_MANY {
        plain.send(&json!({ "type": "ping" })).await;
    }
    let warning = plain.next_event("rate_limit.warning").await;
    assert_eq!(warning["payload"], json!({ "limit": 1, "windowMs": 1000 }));
    assert_eq!(plain.closed().await, Some(4429));

    let mut stock = app.stock("/", &app.token("bob")).await;
    for _ in 0..TOO_MANY {
        stock.emit("/", "noise", &[]).await;
    }
    let (packets, closed) = stock.closed().await;
    assert_eq!(packets[0], r#"42["rate_limit.warning",{"limit":1,"windowMs":1000}]"#);
    assert_eq!(closed, Closed(Some(4429)));
    assert_eq!(app.metric("ws_disconnects_total{code=\"4429\"}").await, 2.0);
}

#[actix_web::test]
async fn a_message_too_many_is_answered_where_an_answer_was_asked_for() {
    let app = App::start_with(Backend::Memory, &LIMIT).await;
    let mut plain = app.plain(&app.token("alice")).await;
    plain.send(&json!({ "type": "ping", "id": 1 })).await;
    plain.send(&json!({ "type": "ping", "id": 2 })).await;
    assert_eq!(plain.next_event("ack").await["success"], true);
    assert_eq!(plain.next_event("ack").await["error"]["code"], "RATE_LIMITED");

    let mut stock = app.stock("/", &app.token("bob")).await;
    assert_eq!(stock.ask("/", "subscribe:drifts", &[]).await["success"], true);
    assert_eq!(stock.ask("/", "subscribe:alerts", &[]).await["error"]["code"], "RATE_LIMITED");
}

#[actix_web::test]
async fn messages_of_a_user_are_counted_over_all_replicas() {
    let app = App::start_two(&LIMIT).await;
    let token = app.token("alice");
    let mut here = app.gateways[0].plain(&token).await;
    let mut there = app.gateways[1].plain(&token).await;
    for _ in 0..TOO_MANY / 2 {
        here.send(&json!({ "type": "ping" })).await;
        there.send(&json!({ "type": "ping" })).await;
    }
    let code = tokio::select! {
        code = here.closed() => code,
        code = there.closed() => code,
    };
    assert_eq!(code, Some(4429));
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
async fn sockets_of_an_address_are_limited_where_that_is_asked_for() {
    let app = App::start_with(Backend::Memory, &["--gateway-sockets-per-ip", "2"]).await;
    let _one = app.plain(&app.token("alice")).await;
    let _two = app.plain(&app.token("bob")).await;
    let mut three = Socket::connect(&app.ws(&format!("/ws?token={}", app.token("carol")))).await;
    assert_eq!(three.closed().await, Some(4429));
}
