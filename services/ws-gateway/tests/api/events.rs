//! Events that are relayed, and events that are refused.

use contracts::events::auth::TokenRefreshed;
use contracts::events::drift::DriftUpdated;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::App;

const RESERVED: [&str; 14] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "error",
    "newListener",
    "removeListener",
    "session.revoked",
    "connection.authorized",
    "server.draining",
    "resync",
    "token.expiring",
    "rate_limit.warning",
    "ack",
];

/// An envelope of this type, on this channel.
async fn publish(app: &App, channel: &str, kind: &str, payload: Value) {
    let envelope = json!({ "eventId": Uuid::now_v7(), "type": kind, "timestamp": app.platform.clock().now(),
        "payload": payload, "userId": "alice" });
    app.platform.backplane().log.broadcast(channel, &envelope.to_string()).await.unwrap();
}

#[rstest]
#[actix_web::test]
async fn a_reserved_event_name_is_refused_at_every_entrance_s58(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    let mut dashboard = app.stock("/dashboard", &app.token("alice")).await;
    let mut plain = app.plain(&app.token("alice")).await;
    let channels =
        ["ws:user:alice", "ws:all", "dashboard:summaryUpdated", "auth:user.login", "drift:created"];
    let mut refused = 0.0;
    for name in RESERVED {
        for channel in channels {
            publish(&app, channel, name, json!({ "id": "1", "userId": "alice", "reason": "logout" })).await;
            refused += 1.0;
        }
        let emit = json!({ "target": "all", "type": name, "payload": {} });
        let answer = app.admin().post("/api/realtime/emit", &emit).await;
        answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let line = "ws_messages_dropped_total{reason=\"reserved\"}";
    eventually(line, async || app.metric(line).await == refused).await;
    for _ in 0..2 {
        publish(&app, "ws:all", "news", json!({})).await;
    }
    assert_eq!(plain.next().await["type"], "news");
    stock.event("/", "news").await;
    dashboard.event("/dashboard", "news").await;
}

#[rstest]
#[actix_web::test]
async fn a_frequent_event_reaches_its_user_without_an_offset_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let user_id = Uuid::new_v4();
    let mut stock = app.stock("/", &app.token(&user_id.to_string())).await;
    let mut plain = app.plain(&app.token(&user_id.to_string())).await;
    app.emit(TokenRefreshed { user_id, session_id: Uuid::nil() }).await;
    let args = stock.event_args("/", "auth:token.refreshed").await;
    assert_eq!(args, json!([{ "userId": user_id, "sessionId": Uuid::nil() }]));
    let envelope = plain.next_event("auth:token.refreshed").await;
    assert_eq!((&envelope["seq"], &envelope["epoch"]), (&Value::Null, &Value::Null));
}

#[rstest]
#[actix_web::test]
async fn an_event_that_no_queue_can_hold_is_refused_and_closes_nobody(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut plain = app.plain(&app.token("alice")).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    stock.ask("/", "subscribe:drifts", &[]).await;
    let large = json!({ "padding": "x".repeat(1_100_000) });
    app.publish("ws:all", None, large.clone()).await;
    app.emit(DriftUpdated {
        id: Uuid::nil(),
        subject: crate::relay::subject(),
        status: contracts::drift::Status::Detected,
        version: 2,
        cost_impact_monthly: 0.0,
        region: Some("x".repeat(1_100_000)),
        account_id: None,
    })
    .await;
    let line = "ws_messages_dropped_total{reason=\"too_large\"}";
    eventually(line, async || app.metric(line).await == 2.0).await;
    for size in [600_000, 1_100_000] {
        let emit = json!({ "target": "all", "type": "news", "payload": "x".repeat(size) });
        let answer = app.admin().post("/api/realtime/emit", &emit).await;
        answer.error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
    }
    let emit = json!({ "target": "all", "type": "news", "payload": "x".repeat(500_000) });
    app.admin().post("/api/realtime/emit", &emit).await.data();
    assert_eq!(plain.next().await["type"], "news");
    stock.event("/", "news").await;
}

#[rstest]
#[actix_web::test]
async fn an_unpaired_surrogate_is_replaced_and_the_event_delivered(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut plain = app.plain(&app.token("alice")).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    // As `JSON.stringify({ text: "a\ud800" })` writes it.
    let body = format!(
        r#"{{"eventId":"{}","type":"news","timestamp":"{}","payload":{{"text":"a\ud800","face":"\ud83d\ude00"}}}}"#,
        Uuid::now_v7(),
        app.platform.clock().now().to_rfc3339()
    );
    app.platform.backplane().log.broadcast("ws:all", &body).await.unwrap();
    let expected = json!({ "text": "a\u{fffd}", "face": "😀" });
    assert_eq!(plain.next_event("news").await["payload"], expected);
    assert_eq!(stock.event("/", "news").await, expected);
}

#[actix_web::test]
async fn an_unpaired_surrogate_of_a_client_does_not_end_its_connection() {
    let app = App::start(Backend::Memory).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    stock.send(r#"42["noise","\ud800"]"#).await;
    assert_eq!(stock.ask("/", "subscribe:drifts", &[]).await["success"], true);
    let mut plain = app.plain(&app.token("alice")).await;
    let text = r#"{"type":"subscribe","room":"\udc00","id":1}"#;
    plain.send_raw(tokio_tungstenite::tungstenite::Message::text(text)).await;
    assert_eq!(plain.next_event("ack").await["error"]["code"], "UNKNOWN_ROOM");
}
