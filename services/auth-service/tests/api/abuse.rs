use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode, eventually};

use crate::app::{App, PASSWORD, WRONG, email};

#[rstest]
#[actix_web::test]
async fn an_address_is_one_account_however_it_is_typed_s38(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    app.sign_up("alice").await;
    let body = json!({"name": "A", "email": " ALICE@Example.COM ", "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.error(StatusCode::CONFLICT, "CONFLICT");
    app.try_log_in("Alice@EXAMPLE.com", PASSWORD).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn fifty_sign_ups_of_one_email_create_one_user_s39(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let body = json!({"name": "Alice", "email": email("alice"), "password": PASSWORD});
    let answers = join_all((0..50).map(|_| app.client.post("/api/auth/signup", &body))).await;
    let made = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    let taken = answers.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count();
    assert_eq!((made, taken), (1, 49));
    app.all_events_are_out().await;
    assert_eq!(app.published("auth:user.registered").len(), 1);
}

#[rstest]
#[actix_web::test]
async fn a_forged_forwarded_header_changes_nothing_s43(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-ip=3"]).await;
    let alice = app.sign_up("alice").await;
    let wrong = json!({"email": alice.email, "password": WRONG});
    for nth in 0..3 {
        let forged = app.at(&format!("203.0.113.{nth}"));
        forged.post("/api/auth/login", &wrong).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    let forged = app.at("203.0.113.200");
    forged.post("/api/auth/login", &wrong).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    assert_eq!(alice.client.get("/api/auth/session").await.data()["ipAddress"], "127.0.0.1");
}

#[rstest]
#[actix_web::test]
async fn sign_ups_are_limited(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--signups-per-ip=2"]).await;
    app.sign_up("alice").await;
    app.sign_up("bob").await;
    let body = json!({"name": "Carol", "email": email("carol"), "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
}

#[rstest]
#[actix_web::test]
async fn without_redis_everything_works_and_the_limits_apply_s44(#[values(Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--login-failures-per-account=3", "--login-failures-per-ip=5"]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    app.all_events_are_out().await;
    app.stores.redis().kill();
    eventually("the loss is noticed", async || {
        app.client.get("/health").await.json()["status"] == "degraded"
    })
    .await;
    let again = app.log_in("alice").await;
    app.refresh(&again.refresh).await;
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    assert!(!alice.is_in().await);
    app.client.get("/ready").await.expect(StatusCode::OK);
    for _ in 0..3 {
        app.try_log_in(&bob.email, WRONG).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    app.try_log_in(&bob.email, PASSWORD).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    for nth in 0..5 {
        let unknown = app.try_log_in(&email(&format!("nobody{nth}")), WRONG).await;
        let expected = if nth < 2 { StatusCode::UNAUTHORIZED } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(unknown.status, expected, "{nth}");
    }

    app.stores.redis().restart();
    assert_eq!(app.ended(alice.session).await, "logout");
    app.event("auth:user.login", |event| event["sessionId"] == json!(again.session)).await;
}

#[rstest]
#[actix_web::test]
async fn a_sign_up_cannot_choose_its_role_s45(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    for (field, value) in [("role", json!("admin")), ("isActive", json!(true)), ("id", json!("x"))] {
        let mut body = json!({"name": "Alice", "email": email("alice"), "password": PASSWORD});
        body[field] = value;
        let error = app
            .client
            .post("/api/auth/signup", &body)
            .await
            .error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field);
    }
    let first = app.sign_up("alice").await;
    assert_eq!(first.client.get("/api/auth/me").await.data()["role"], "viewer");
}

#[rstest]
#[actix_web::test]
async fn a_frozen_redis_delays_no_request_s44(#[values(Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    app.stores.redis().freeze();
    let started = Instant::now();
    app.try_log_in(&alice.email, WRONG).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    app.log_in("alice").await;
    app.refresh(&alice.refresh).await;
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    assert!(!alice.is_in().await);
    // One wait for Redis per request would take two seconds each.
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    app.stores.redis().thaw();
    assert_eq!(app.ended(alice.session).await, "logout");
}
