//! Every way to be refused, and every message that is not passed on: what is said, and what is counted.

use contracts::Claims;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, Method, Socket, StatusCode, eventually};
use tokio_tungstenite::tungstenite::Message;

use crate::app::App;
use crate::client::Transport;

#[derive(Clone, Copy, Debug)]
enum Cause {
    NoToken,
    Expired,
    Invalid,
    SessionEnded,
    TooManyFailures,
    TooManySockets,
    TooManySocketsOfAddress,
}

/// The refusal of a stock client, and the close code of `/ws`.
const CAUSES: [(Cause, &str, u16); 7] = [
    (Cause::NoToken, "MISSING_TOKEN", 4401),
    (Cause::Expired, "TOKEN_EXPIRED", 4401),
    (Cause::Invalid, "INVALID_TOKEN", 4401),
    (Cause::SessionEnded, "AUTH_FAILED", 4403),
    (Cause::TooManyFailures, "RATE_LIMITED", 4429),
    (Cause::TooManySockets, "RATE_LIMITED", 4429),
    (Cause::TooManySocketsOfAddress, "RATE_LIMITED", 4429),
];

impl Cause {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::TooManySockets => &["--gateway-sockets-per-user", "0"],
            Self::TooManySocketsOfAddress => &["--gateway-sockets-per-ip", "1"],
            _ => &[],
        }
    }

    /// Whether it is the token that is refused, and not a good one's socket.
    fn is_authentication(self) -> bool {
        !matches!(self, Self::TooManySockets | Self::TooManySocketsOfAddress)
    }

    /// The token that is shown; all else is ready for it.
    async fn prepare(self, app: &App) -> String {
        let claims = app.claims("alice");
        let good = app.sign(&claims);
        match self {
            Self::NoToken => return String::new(),
            Self::Invalid => return "nonsense".into(),
            Self::Expired => {
                let exp = app.platform.clock().now().timestamp() - 11;
                return app.sign(&Claims { exp, ..claims });
            }
            Self::SessionEnded => {
                let ended = json!({ "userId": "alice", "sessionId": claims.sid, "reason": "logout" });
                app.publish("auth:session.deleted", Some("alice"), ended).await;
                eventually("the end to be known", async || {
                    app.platform.tokens().verifier.verify(&good).is_err()
                })
                .await;
            }
            Self::TooManyFailures => {
                for _ in 0..5 {
                    let mut client = Transport::WebSocket.open(app).await;
                    client.show("nonsense").await;
                    client.refusal().await;
                }
                return "nonsense".into();
            }
            Self::TooManySockets | Self::TooManySocketsOfAddress => {}
        }
        good
    }
}

#[rstest]
#[actix_web::test]
async fn every_refusal_of_a_socket_is_told_and_counted(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values(Transport::Plain, Transport::WebSocket, Transport::Polling)] transport: Transport,
) {
    for (cause, code, close_code) in CAUSES {
        let app = App::start_with(backend, cause.arguments()).await;
        let _other = match cause {
            Cause::TooManySocketsOfAddress => Some(app.plain(&app.token("bob")).await),
            _ => None,
        };
        let token = cause.prepare(&app).await;
        let mut client = transport.open(&app).await;
        client.show(&token).await;
        let told = match transport {
            Transport::Plain => close_code.to_string(),
            _ => code.into(),
        };
        assert_eq!(client.refusal().await, told, "{cause:?}");
        let transport = transport.label();
        let connects = format!("ws_connects_total{{result=\"{code}\",transport=\"{transport}\"}}");
        assert_eq!(app.metric(&connects).await, 1.0, "{cause:?}");
        let failures = app.metric(&format!("ws_auth_failures_total{{reason=\"{code}\"}}")).await;
        assert_eq!(failures, f64::from(u8::from(cause.is_authentication())), "{cause:?}");
        if cause.is_authentication() {
            assert_eq!(app.metric("ws_connections ").await, 0.0, "{cause:?}");
        }
    }
}

#[rstest]
#[actix_web::test]
async fn who_is_let_in_is_counted_by_transport(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    for transport in Transport::ALL {
        let _client = transport.join(&app, &app.token("alice")).await;
        let line = format!("ws_connects_total{{result=\"ok\",transport=\"{}\"}}", transport.label());
        eventually(&line, async || app.metric(&line).await == 1.0).await;
    }
}

#[actix_web::test]
async fn every_refusal_of_a_request_has_the_code_of_the_protocol_and_is_counted() {
    let app = App::start(Backend::Memory).await;
    let evil = app.client.with_header("origin", "https://evil.example");
    let rows = [
        (&app.client, Method::GET, "?EIO=4&transport=abc", 400, 0, "TRANSPORT_UNKNOWN"),
        (&app.client, Method::GET, "?EIO=4&transport=polling&sid=x", 400, 1, "SESSION_UNKNOWN"),
        (&app.client, Method::POST, "?EIO=4&transport=polling", 400, 2, "BAD_HANDSHAKE_METHOD"),
        (&app.client, Method::GET, "?EIO=4&transport=websocket", 400, 3, "BAD_REQUEST"),
        (&evil, Method::GET, "?EIO=4&transport=polling", 403, 4, "FORBIDDEN"),
        (&app.client, Method::GET, "?EIO=3&transport=polling", 400, 5, "UNSUPPORTED_PROTOCOL"),
    ];
    for (client, method, query, status, code, label) in rows {
        let answer = client.send(client.request(method, &format!("/socket.io/{query}"))).await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_u64()), (status, Some(code)), "{label}");
        let line = format!("ws_connects_total{{result=\"{label}\",transport=\"engine\"}}");
        assert_eq!(app.metric(&line).await, 1.0, "{label}");
    }
}

#[actix_web::test]
async fn a_handshake_of_ws_that_is_refused_is_counted_as_a_request() {
    let app = App::start(Backend::Memory).await;
    app.client.get("/ws").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let refused = Socket::try_connect(&app.ws("/ws"), &[("origin", "https://evil.example")]).await;
    assert_eq!(refused.err(), Some(StatusCode::FORBIDDEN));
    for status in [400, 403] {
        let line = format!(
            "http_requests_total{{method=\"GET\",route=\"/ws\",service=\"ws-gateway\",status=\"{status}\"}}"
        );
        assert_eq!(app.metric(&line).await, 1.0, "{status}");
    }
}

/// Publishes an event of bob's whose payload is this text.
async fn publish(app: &App, channel: &str, payload: &str) {
    let now = app.platform.clock().now().to_rfc3339();
    let id = uuid::Uuid::now_v7();
    let message = format!(
        r#"{{"eventId":"{id}","type":"{channel}","timestamp":"{now}","userId":"bob","payload":{payload}}}"#
    );
    app.platform.backplane().log.broadcast(channel, &message).await.unwrap();
}

#[rstest]
#[actix_web::test]
async fn every_message_that_is_not_passed_on_is_counted_by_its_reason(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start_with(backend, &["--gateway-messages-per-second", "1"]).await;
    let dropped = async |reason: &str, count: f64| {
        let line = format!("ws_messages_dropped_total{{reason=\"{reason}\"}}");
        eventually(&line, async || app.metric(&line).await == count).await;
    };
    let mut dashboard = app.stock("/dashboard", &app.token("bob")).await;

    publish(&app, "ws:all", &format!("{}{}", "[".repeat(500), "]".repeat(500))).await;
    dropped("malformed", 1.0).await;
    app.platform.backplane().log.broadcast("ws:all", "not an envelope").await.unwrap();
    dropped("malformed", 2.0).await;

    publish(&app, "drift:updated", &format!(r#"{{"id":"{}"}}"#, "x".repeat(600_000))).await;
    dropped("too_large", 1.0).await;

    publish(&app, "dashboard:summaryUpdated", "{}").await;
    dropped("schema", 1.0).await;
    let complaint = dashboard.event("/dashboard", "dashboard:error").await;
    assert_eq!(complaint["payload"]["code"], "INVALID_PAYLOAD");

    let mut polling = Transport::Polling.join(&app, &app.token("alice")).await;
    polling.say(&"4".repeat(70_000)).await;
    dropped("too_large", 2.0).await;

    let mut plain = app.plain(&app.token("carol")).await;
    for _ in 0..8 {
        plain.try_send_raw(Message::text(r#"{"type":"ping"}"#)).await;
    }
    assert_eq!(plain.closed().await, Some(4429));
    dropped("rate_limit", 1.0).await;
    dashboard.assert_silence().await;
}
