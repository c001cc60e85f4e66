use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::App;

#[rstest]
#[actix_web::test]
async fn a_replayed_token_ends_the_session_s09(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let first = app.refresh(&alice.refresh).await;
    let second = app.refresh(&first).await;
    app.advance(TimeDelta::seconds(31));
    app.try_refresh(&alice.refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    app.try_refresh(&second).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert!(!alice.is_in().await);
    assert_eq!(app.ended(alice.session).await, "token_reuse");
}

#[rstest]
#[actix_web::test]
async fn a_used_token_is_accepted_within_the_grace(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let first = app.refresh(&alice.refresh).await;
    let second = app.refresh(&first).await;
    app.advance(TimeDelta::seconds(29));
    assert_eq!(app.refresh(&alice.refresh).await, first);
    assert_eq!(app.refresh(&first).await, second);
    assert!(alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn two_refreshes_in_one_second_return_different_tokens_s05(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let first = app.try_refresh(&alice.refresh).await.data();
    let second = app.try_refresh(first["refreshToken"].as_str().unwrap()).await.data();
    assert_ne!(first["accessToken"], second["accessToken"]);
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    let repeated = app.try_refresh(&alice.refresh).await.data();
    assert_ne!(repeated["accessToken"], first["accessToken"]);
    assert_eq!(repeated["refreshToken"], first["refreshToken"]);
}

#[rstest]
#[actix_web::test]
async fn refresh_tokens_outlive_a_change_of_their_secret_s07(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let secret = |name: &str, value: &str| format!("--jwt-refresh-secret{name}={value}");
    let both = [secret("", "the next secret"), secret("-previous", "a refresh secret of the tests")];
    let changed = app.replica_with(&both).await;
    let renewed = changed.refresh(&alice.refresh).await;
    app.try_refresh(&renewed).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    changed.refresh(&renewed).await;
    assert!(alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn a_hundred_racing_refreshes_share_one_successor_s10(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let calls = (0..100).map(|_| app.refresh(&alice.refresh));
    let successors = futures_util::future::join_all(calls).await;
    assert!(successors.iter().all(|successor| successor == &successors[0]));
    app.all_events_are_out().await;
    assert_eq!(app.published("auth:token.refreshed").len(), 1);
    assert!(alice.is_in().await);
    assert_ne!(app.refresh(&successors[0]).await, successors[0]);
}

#[rstest]
#[actix_web::test]
async fn replicas_agree_on_the_successor_s10(#[values(Backend::Real)] backend: Backend) {
    let one = App::start(backend).await;
    let (two, three) = (one.replica().await, one.replica().await);
    let alice = one.sign_up("alice").await;
    let calls = (0..100).map(|nth| [&one, &two, &three][nth % 3].refresh(&alice.refresh));
    let successors = futures_util::future::join_all(calls).await;
    assert!(successors.iter().all(|successor| successor == &successors[0]));
    one.all_events_are_out().await;
    assert_eq!(one.published("auth:token.refreshed").len(), 1);
    assert!(alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn a_lost_response_ends_no_session_s11(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let lost = app.refresh(&alice.refresh).await;
    app.advance(TimeDelta::minutes(50));
    assert_eq!(app.refresh(&alice.refresh).await, lost);
}

#[rstest]
#[actix_web::test]
async fn refreshing_never_extends_the_lifetime_s12(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--session-lifetime-hours=2"]).await;
    let alice = app.sign_up("alice").await;
    let mut token = alice.refresh.clone();
    for _ in 0..3 {
        app.advance(TimeDelta::minutes(35));
        token = app.refresh(&token).await;
    }
    app.advance(TimeDelta::minutes(10));
    let last = app.try_refresh(&token).await.data();
    assert!(last["expiresIn"].as_i64().unwrap() <= 5 * 60, "an access token does not outlive its session");
    app.advance(TimeDelta::minutes(5));
    app.try_refresh(&token).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert_eq!(app.ended(alice.session).await, "expired");
}

#[rstest]
#[actix_web::test]
async fn without_rotation_a_session_keeps_its_token(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--refresh-rotation=false"]).await;
    let alice = app.sign_up("alice").await;
    for _ in 0..3 {
        app.advance(TimeDelta::minutes(20));
        assert_eq!(app.refresh(&alice.refresh).await, alice.refresh);
    }
    let body = json!({"refreshToken": alice.refresh});
    app.client.post("/api/auth/logout", &body).await.expect(StatusCode::OK);
    app.try_refresh(&alice.refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn nothing_else_is_accepted_as_a_refresh_token_s02_s08(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let row =
        auth_service::session::entity::by_id(&app.state.database, alice.session).await.unwrap().unwrap();
    for forged in [&alice.access, &row.session_token, &alice.session.to_string(), "", "%00", &"A".repeat(71)]
    {
        app.try_refresh(forged).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    let refused = app.client.with_token(&alice.refresh).get("/api/auth/me").await;
    refused.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    app.client.post("/api/auth/refresh", &json!({})).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert!(alice.is_in().await);
}
