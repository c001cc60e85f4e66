//! Abuse by clients without a token, and by publishers.

use rstest::rstest;
use serde_json::json;
use testing::{Backend, eventually};

use crate::app::App;
use crate::client::Transport;
use crate::stock::{Closed, Stock};

#[actix_web::test]
async fn a_namespace_is_refused_once_and_then_the_connection_is_closed_s65() {
    let app = App::start(Backend::Memory).await;
    for namespace in ["", "/dashboard,", "/nowhere,"] {
        let mut stock = Stock::open(&app).await;
        for _ in 0..1_000 {
            stock.send(&format!("40{namespace}")).await;
        }
        let (packets, closed) = stock.closed().await;
        assert_eq!((packets.len(), closed), (1, Closed(Some(4401))), "{namespace}");
        assert!(packets[0].starts_with(&format!("44{namespace}")), "{packets:?}");
    }
    let refused = "ws_auth_failures_total{reason=\"MISSING_TOKEN\"}";
    assert_eq!(app.metric(refused).await, 4.0, "a second look at each of two namespaces, and no more");
}

#[actix_web::test]
async fn unknown_namespaces_count_as_one_s65() {
    let app = App::start(Backend::Memory).await;
    let mut stock = Stock::open(&app).await;
    for number in 0..100 {
        stock.send(&format!("40/n{number},")).await;
    }
    let (packets, closed) = stock.closed().await;
    assert_eq!((packets.len(), closed), (1, Closed(Some(4401))));
}

#[actix_web::test]
async fn what_follows_in_a_polled_body_is_not_looked_at_after_the_end_s65() {
    let app = App::start(Backend::Memory).await;
    let mut polling = Transport::Polling.open(&app).await;
    polling.say(&["40"; 10_000].join("\u{1e}")).await;
    polling.ended().await;
    assert_eq!(app.metric("ws_auth_failures_total{reason=\"MISSING_TOKEN\"}").await, 2.0);
}

#[actix_web::test]
async fn a_refused_namespace_can_be_joined_with_a_better_token_s65() {
    let app = App::start(Backend::Memory).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    stock.refusal("/dashboard", &json!({ "token": "x" })).await;
    stock.join("/dashboard", &app.token("alice")).await;
}

#[actix_web::test]
async fn joining_again_and_again_counts_like_messages_s65() {
    let app = App::start_with(Backend::Memory, &["--gateway-messages-per-second", "1"]).await;
    let mut stock = app.stock("/", &app.token("alice")).await;
    let connect = format!("40{}", json!({ "token": app.token("alice") }));
    for _ in 0..8 {
        stock.send("41").await;
        stock.send(&connect).await;
    }
    assert_eq!(stock.closed().await.1, Closed(Some(4429)));
}

#[rstest]
#[actix_web::test]
async fn a_flood_of_messages_that_anybody_may_publish_delays_no_end_of_a_session_s58(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    use contracts::events::auth::{EndReason, SessionDeleted};
    let app = App::start(backend).await;
    let user_id = uuid::Uuid::new_v4();
    let claims = app.claims(&user_id.to_string());
    let token = app.sign(&claims);
    let mut socket = app.plain(&token).await;
    let head = app.platform.backplane().log.head().await.unwrap();
    // Each claims the position of one of the next events.
    let forged = |seq: u64| {
        json!({ "eventId": uuid::Uuid::now_v7(), "type": "news", "timestamp": app.platform.clock().now(),
            "payload": {}, "seq": seq, "epoch": &*head.epoch })
        .to_string()
    };
    for seq in 1..=500 {
        app.platform.backplane().log.broadcast("ws:user:nobody", &forged(head.seq + seq)).await.unwrap();
    }
    let session_id = claims.sid.unwrap();
    app.emit(SessionDeleted { user_id, session_id, reason: EndReason::Logout }).await;
    assert_eq!(socket.closed().await, Some(4403));
    eventually("the token to be refused", async || app.platform.tokens().verifier.verify(&token).is_err())
        .await;
}
