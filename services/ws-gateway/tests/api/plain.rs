//! `/ws`: the ways in, the messages, the close codes.

use serde_json::json;
use testing::{Backend, Socket};
use tokio_tungstenite::tungstenite::Message;

use crate::app::App;

#[actix_web::test]
async fn a_token_may_come_in_four_ways() {
    let app = App::start(Backend::Memory).await;
    let token = app.token("alice");
    let header = format!("Bearer {token}");
    let offer = format!("driftsentry.v1, bearer.{token}");
    let mut sockets = vec![
        Socket::connect_with(&app.ws("/ws"), &[("authorization", &header)]).await,
        Socket::connect_with(&app.ws("/ws"), &[("sec-websocket-protocol", &offer)]).await,
        Socket::connect(&app.ws(&format!("/ws?token={token}"))).await,
    ];
    let mut late = Socket::connect(&app.ws("/ws")).await;
    late.send(&json!({ "type": "auth", "token": token, "id": 1 })).await;
    sockets.push(late);
    for socket in &mut sockets {
        let authorized = socket.next().await;
        assert_eq!(authorized["type"], "connection.authorized");
        assert_eq!(authorized["payload"]["userId"], "alice");
        assert!(authorized["eventId"].is_string() && authorized["timestamp"].is_string());
    }
    let ack = sockets.pop().unwrap().next().await;
    assert_eq!((&ack["id"], &ack["success"]), (&json!(1), &json!(true)));
}

#[actix_web::test]
async fn every_refusal_has_its_close_code() {
    let app = App::start(Backend::Memory).await;
    let now = app.platform.clock().now().timestamp();
    let expired = app.sign(&contracts::Claims { exp: now - 11, ..app.claims("alice") });
    for token in ["nonsense", &expired] {
        let mut socket = Socket::connect(&app.ws(&format!("/ws?token={token}"))).await;
        assert_eq!(socket.closed().await, Some(4401));
    }
    let mut socket = Socket::connect(&app.ws("/ws")).await;
    socket.send(&json!({ "type": "ping" })).await;
    assert_eq!(socket.closed().await, Some(4401), "a message before the token");

    for message in ["", "no json", "[]", "{\"type\":\"nope\"}", "{\"type\":\"subscribe\"}"] {
        let mut socket = app.plain(&app.token("alice")).await;
        socket.send_raw(Message::text(message)).await;
        assert_eq!(socket.closed().await, Some(4400), "{message:?}");
    }
    let mut socket = app.plain(&app.token("alice")).await;
    socket.send_raw(Message::binary(vec![1])).await;
    assert_eq!(socket.closed().await, Some(4400), "binary");
    let mut socket = app.plain(&app.token("alice")).await;
    socket.send_raw(Message::text("x".repeat(70_000))).await;
    assert_eq!(socket.closed().await, Some(4413));

    assert_eq!(app.metric("ws_disconnects_total{code=\"4400\"}").await, 6.0);
    assert_eq!(app.metric("ws_disconnects_total{code=\"4401\"}").await, 3.0);
    assert_eq!(app.metric("ws_disconnects_total{code=\"4413\"}").await, 1.0);
}

#[actix_web::test]
async fn a_client_that_sends_no_token_is_closed_s49() {
    let app = App::start_with(Backend::Memory, &["--gateway-handshake-seconds", "0"]).await;
    let mut socket = Socket::connect(&app.ws("/ws")).await;
    assert_eq!(socket.closed().await, Some(4408));
}

#[actix_web::test]
async fn a_room_that_does_not_exist_is_an_error_and_no_end() {
    let app = App::start(Backend::Memory).await;
    let mut socket = app.plain(&app.token("alice")).await;
    for room in ["user:bob", "nowhere", ""] {
        socket.send(&json!({ "type": "subscribe", "room": room, "id": 1 })).await;
        assert_eq!(socket.next_event("ack").await["error"]["code"], "UNKNOWN_ROOM");
    }
    socket.send(&json!({ "type": "ping", "id": "p" })).await;
    assert_eq!(socket.next_event("ack").await["success"], true);
}
