//! A token's life on an open socket: the warning, the exchange, the end.

use chrono::TimeDelta;
use contracts::Claims;
use rstest::rstest;
use serde_json::{Value, json};
use testing::Backend;
use uuid::Uuid;

use crate::app::App;
use crate::stock::Closed;

#[actix_web::test]
async fn a_token_s_owner_is_warned_five_minutes_before_and_closed_at_its_end() {
    let app = App::start(Backend::Memory).await;
    let claims = app.claims("alice");
    let mut stock = app.stock("/", &app.sign(&claims)).await;
    let mut plain = app.plain(&app.sign(&claims)).await;
    stock.assert_silence().await;

    app.platform.clock().advance(TimeDelta::seconds(601));
    let warning = stock.event("/", "token.expiring").await;
    let remaining = warning["secondsRemaining"].as_i64().unwrap();
    assert!((295..=299).contains(&remaining), "{remaining}");
    assert!(warning["expiresAt"].is_string());
    assert_eq!(plain.next_event("token.expiring").await["payload"]["expiresAt"], warning["expiresAt"]);

    // By the leeway that also lets new sockets in, and no earlier.
    app.platform.clock().advance(TimeDelta::seconds(304));
    stock.assert_silence().await;
    app.platform.clock().advance(TimeDelta::seconds(6));
    let (packets, closed) = stock.closed().await;
    assert_eq!((packets, closed), (vec![], Closed(Some(4401))), "no DISCONNECT: the client may come back");
    assert_eq!(plain.closed().await, Some(4401));
}

#[actix_web::test]
async fn a_token_with_little_left_is_warned_of_at_once() {
    let app = App::start(Backend::Memory).await;
    let now = app.platform.clock().now().timestamp();
    let mut stock = app.stock("/", &app.sign(&Claims { exp: now + 60, ..app.claims("alice") })).await;
    assert!(stock.event("/", "token.expiring").await["secondsRemaining"].as_i64().unwrap() <= 60);
}

#[rstest]
#[actix_web::test]
async fn a_fresh_token_of_the_same_session_keeps_the_sockets_open(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start_with(backend, &["--gateway-messages-per-second", "1000"]).await;
    let claims = app.claims("alice");
    let mut stock = app.stock("/", &app.sign(&claims)).await;
    stock.join("/dashboard", &app.sign(&claims)).await;
    let mut plain = app.plain(&app.sign(&claims)).await;
    for life in 1..=10 {
        app.platform.clock().advance(TimeDelta::seconds(850));
        stock.event("/", "token.expiring").await;
        stock.event("/dashboard", "token.expiring").await;
        plain.next_event("token.expiring").await;
        let exp = app.platform.clock().now().timestamp() + 900;
        let fresh = app.sign(&Claims { exp, jti: Some(Uuid::new_v4()), ..claims.clone() });
        let answer = stock.ask("/", "connection.reauth", &[json!({ "token": fresh })]).await;
        let expires_at = chrono::DateTime::from_timestamp(exp, 0).unwrap();
        assert_eq!(answer, json!({ "success": true, "data": { "expiresAt": expires_at } }));
        plain.send(&json!({ "type": "reauth", "token": fresh, "id": life })).await;
        let ack = plain.next_event("ack").await;
        assert_eq!(
            (&ack["id"], &ack["success"], &ack["data"]),
            (&json!(life), &json!(true), &answer["data"])
        );
    }
    stock.assert_silence().await;
    plain.assert_silence().await;
}

#[actix_web::test]
async fn a_token_of_another_user_or_session_is_no_exchange() {
    let app = App::start(Backend::Memory).await;
    let claims = app.claims("alice");
    let now = app.platform.clock().now().timestamp();
    let mut stock = app.stock("/", &app.sign(&claims)).await;
    let mut plain = app.plain(&app.sign(&claims)).await;
    for (claims, code) in [
        (Claims { sid: claims.sid, ..app.claims("bob") }, "AUTH_FAILED"),
        (app.claims("alice"), "AUTH_FAILED"),
        (Claims { exp: now - 11, ..claims.clone() }, "TOKEN_EXPIRED"),
    ] {
        let token = app.sign(&claims);
        let answer = stock.ask("/", "connection.reauth", &[json!({ "token": token })]).await;
        assert_eq!((&answer["success"], &answer["error"]["code"]), (&json!(false), &json!(code)));
        plain.send(&json!({ "type": "reauth", "token": token, "id": 1 })).await;
        let ack = plain.next_event("ack").await;
        assert_eq!((&ack["success"], &ack["error"]["code"]), (&json!(false), &json!(code)));
    }
    for arguments in [vec![], vec![Value::Null], vec![json!({})], vec![json!({ "token": "x" })]] {
        let answer = stock.ask("/", "connection.reauth", &arguments).await;
        assert_eq!(answer["success"], false, "{arguments:?}");
    }
    stock.assert_silence().await;
}
