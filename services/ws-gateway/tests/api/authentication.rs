//! Who is let in, and what the others are told.

use contracts::Claims;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, Socket};

use crate::app::App;
use crate::stock::Stock;

#[rstest]
#[actix_web::test]
async fn a_stock_client_learns_who_it_is(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let claims = app.claims("alice");
    for namespace in ["/", "/dashboard"] {
        let mut stock = Stock::open(&app).await;
        let authorized = stock.join(namespace, &app.sign(&claims)).await;
        assert_eq!(authorized["userId"], "alice");
        assert_eq!(authorized["sid"], claims.sid.unwrap().to_string());
        assert_eq!(authorized["sessionId"], stock.connected["sid"]);
        assert_ne!(authorized["sessionId"], stock.open["sid"], "the transport's id stays a secret");
        assert!(authorized["expiresAt"].is_string() && authorized["epoch"].is_string());
        assert!(authorized["seq"].is_u64());
    }
}

#[actix_web::test]
async fn a_token_may_come_by_query_by_packet_or_by_header_and_the_query_wins() {
    let app = App::start(Backend::Memory).await;
    let (alice, bob) = (app.token("alice"), app.token("bob"));
    let user = async |query: &str, auth: serde_json::Value| {
        let mut stock = Stock::open_with(&app, query).await;
        stock.send(&format!("40{auth}")).await;
        stock.event("/", "connection.authorized").await["userId"].as_str().unwrap().to_owned()
    };
    assert_eq!(user(&format!("&token={alice}"), json!({})).await, "alice");
    assert_eq!(user("", json!({ "token": alice })).await, "alice");
    assert_eq!(user("", json!({ "token": format!("Bearer {alice}") })).await, "alice");
    assert_eq!(user(&format!("&token={alice}"), json!({ "token": bob })).await, "alice");
}

#[rstest]
#[actix_web::test]
async fn a_socket_without_a_good_token_is_refused_with_the_code(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let now = app.platform.clock().now().timestamp();
    let expired = app.sign(&Claims { exp: now - 11, ..app.claims("alice") });
    let cases = [
        (json!({}), "MISSING_TOKEN"),
        (json!({ "token": "" }), "MISSING_TOKEN"),
        (json!({ "token": expired }), "TOKEN_EXPIRED"),
        (json!({ "token": "not.a.token" }), "INVALID_TOKEN"),
    ];
    for (auth, code) in cases {
        let mut stock = Stock::open(&app).await;
        let refusal = stock.refusal("/", &auth).await;
        assert_eq!(refusal["data"]["code"], code);
        assert_eq!(refusal["data"]["expiredAt"].is_string(), code == "TOKEN_EXPIRED");
        assert_eq!(refusal["message"], refusal["data"]["message"]);
        let refusal = stock.refusal("/dashboard", &auth).await;
        assert_eq!(refusal["data"]["code"], "AUTH_FAILED");
        assert_eq!(refusal["data"]["reason"], code);
    }
    let mut stock = Stock::open(&app).await;
    let refusal = stock.refusal("/elsewhere", &json!({ "token": app.token("alice") })).await;
    assert_eq!(refusal, json!({ "message": "Invalid namespace" }));
}

#[actix_web::test]
async fn five_tokens_that_are_not_ours_close_the_door_for_other_guesses_of_an_address_on_every_replica() {
    let app = App::start_two(&[]).await;
    for _ in 0..5 {
        let mut stock = Stock::open(&app.gateways[0]).await;
        assert_eq!(stock.refusal("/", &json!({ "token": "x" })).await["data"]["code"], "INVALID_TOKEN");
    }
    let mut stock = Stock::open(&app.gateways[1]).await;
    assert_eq!(stock.refusal("/", &json!({ "token": "y" })).await["data"]["code"], "RATE_LIMITED");
    let mut plain = Socket::connect(&app.gateways[1].ws("/ws?token=y")).await;
    assert_eq!(plain.closed().await, Some(4429));
    assert!(app.gateways[1].metric("ws_auth_failures_total{reason=\"RATE_LIMITED\"}").await >= 2.0);
}

#[rstest]
#[actix_web::test]
async fn a_verified_token_passes_however_many_were_guessed_at_its_address_s66(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    for _ in 0..8 {
        Stock::open(&app).await.refusal("/", &json!({ "token": "x" })).await;
    }
    app.stock("/", &app.token("alice")).await;
    app.plain(&app.token("bob")).await;
    let claims = app.claims("carol");
    let mut open = app.plain(&app.sign(&claims)).await;
    open.send(&json!({ "type": "reauth", "token": app.sign(&claims), "id": 1 })).await;
    assert_eq!(open.next_event("ack").await["success"], true);
}

#[actix_web::test]
async fn a_token_that_one_of_our_secrets_signed_is_no_guess_s66() {
    let previous = ["--jwt-access-secret-previous", "of an earlier test"];
    let app = App::start_with(Backend::Memory, &previous).await;
    // Tokens of the old stack have no type, no session and no id.
    let ours = |secret: &str, audience: &str| {
        let mut claims = serde_json::to_value(app.claims("alice")).unwrap();
        (claims["iss"], claims["aud"]) = (contracts::ISSUER.into(), audience.into());
        claims.as_object_mut().unwrap().retain(|name, _| name != "sid" && name != "jti");
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
    };
    for secret in ["of a test", "of an earlier test"] {
        for audience in ["api", "elsewhere"] {
            for _ in 0..3 {
                let mut stock = Stock::open(&app).await;
                let refusal = stock.refusal("/", &json!({ "token": ours(secret, audience) })).await;
                assert_eq!(refusal["data"]["code"], "INVALID_TOKEN");
            }
        }
    }
    let mut stock = Stock::open(&app).await;
    assert_eq!(stock.refusal("/", &json!({ "token": "x" })).await["data"]["code"], "INVALID_TOKEN");
}

#[actix_web::test]
async fn a_token_that_has_just_expired_lets_no_socket_in_that_could_not_live_a_second() {
    let app = App::start(Backend::Memory).await;
    let now = app.platform.clock().now().timestamp();
    let expired = |seconds| app.sign(&Claims { exp: now - seconds, ..app.claims("alice") });
    let mut refused = Stock::open(&app).await;
    let refusal = refused.refusal("/", &json!({ "token": expired(10) })).await;
    assert_eq!(refusal["data"]["code"], "TOKEN_EXPIRED");
    let mut refused = Socket::connect(&app.ws(&format!("/ws?token={}", expired(10)))).await;
    assert_eq!(refused.closed().await, Some(4401));
    // What is let in by the leeway lives by it.
    let mut plain = app.plain(&expired(5)).await;
    let mut stock = app.stock("/", &expired(5)).await;
    plain.next_event("token.expiring").await;
    stock.event("/", "token.expiring").await;
    plain.assert_silence().await;
    stock.assert_silence().await;
}

#[actix_web::test]
async fn a_lower_case_bearer_header_is_a_token_too() {
    let app = App::start(Backend::Memory).await;
    let token = app.token("alice");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let header = format!("{scheme} {token}");
        let mut socket = Socket::connect_with(&app.ws("/ws"), &[("authorization", &header)]).await;
        assert_eq!(socket.next_event("connection.authorized").await["payload"]["userId"], "alice");
    }
}

#[actix_web::test]
async fn an_origin_that_is_not_listed_is_refused_on_every_transport_s49() {
    let app = App::start(Backend::Memory).await;
    let evil = app.client.with_header("origin", "https://evil.example");
    let answer = evil.get("/socket.io/?EIO=4&transport=polling").await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_u64()), (403, Some(4)));
    for path in ["/socket.io/?EIO=4&transport=websocket", "/ws"] {
        let refused = Socket::try_connect(&app.ws(path), &[("origin", "https://evil.example")]).await;
        assert_eq!(refused.err().map(|status| status.as_u16()), Some(403), "{path}");
    }
    let listed = app.client.with_header("origin", "http://localhost:3000");
    let answer = listed.get("/socket.io/?EIO=4&transport=polling").await;
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:3000");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
}
