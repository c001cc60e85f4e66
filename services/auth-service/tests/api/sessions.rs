use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, PASSWORD, email};

#[rstest]
#[actix_web::test]
async fn callers_see_only_their_own_sessions_and_no_token_s20_s23(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let first = app.sign_up("alice").await;
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
    let browser = app.client.with_header("user-agent", agent);
    let body = json!({"email": first.email, "password": PASSWORD});
    let second = app.user(&browser.post("/api/auth/login", &body).await);
    app.sign_up("bob").await;
    assert_ne!(first.session, second.session);
    let mut chosen = body.clone();
    chosen["sessionId"] = json!(first.session);
    let refused = app.client.post("/api/auth/login", &chosen).await;
    refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");

    let listed = second.client.get("/api/auth/sessions").await;
    for secret in [&first.access, &first.refresh, &second.refresh, &"sessionToken".to_owned()] {
        assert!(!listed.text.contains(secret.as_str()));
    }
    let sessions = listed.data();
    let by_id = |id: Uuid| {
        let found = sessions.as_array().unwrap().iter().find(|session| session["id"] == json!(id));
        found.unwrap_or_else(|| panic!("{id} is not in {sessions}")).clone()
    };
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    assert_eq!(by_id(first.session)["current"], false);
    let own = by_id(second.session);
    assert_eq!(own["current"], true);
    assert_eq!(own["ipAddress"], "127.0.0.1");
    assert_eq!(
        own["deviceInfo"],
        json!({"browser": "Firefox", "os": "Linux", "device": "desktop", "raw": agent})
    );
    assert_eq!(second.client.get("/api/auth/session").await.data(), own);
}

#[rstest]
#[actix_web::test]
async fn a_session_without_activity_expires_without_any_request_s21(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--session-timeout-minutes=10"]).await;
    let (idle, active) = (app.sign_up("idle").await, app.sign_up("active").await);
    app.advance(TimeDelta::minutes(9));
    active.client.post("/api/auth/activity", &json!({})).await.expect(StatusCode::OK);
    app.event("auth:session.activity_updated", |event| event["sessionId"] == json!(active.session)).await;
    app.advance(TimeDelta::minutes(2));
    assert_eq!(app.ended(idle.session).await, "idle_timeout");
    assert!(!idle.is_in().await);
    app.try_refresh(&idle.refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert!(active.is_in().await);
    app.advance(TimeDelta::minutes(9));
    assert_eq!(app.ended(active.session).await, "idle_timeout");
}

#[rstest]
#[actix_web::test]
async fn activity_is_written_at_most_once_a_minute_s21(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    app.advance(TimeDelta::seconds(61));
    let activity = async || alice.client.post("/api/auth/activity", &json!({})).await.data();
    let first = activity().await["lastActivity"].clone();
    let again = join_all((0..20).map(|_| activity())).await;
    assert!(again.iter().all(|answer| answer["lastActivity"] == first));
    app.advance(TimeDelta::seconds(61));
    assert_ne!(activity().await["lastActivity"], first);
    app.all_events_are_out().await;
    assert_eq!(app.published("auth:session.activity_updated").len(), 2);
}

#[rstest]
#[actix_web::test]
async fn several_replicas_sweep_each_session_once(#[values(Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let replica = app.replica().await;
    let users =
        join_all((0..10).map(|nth| app.sign_up(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][nth])))
            .await;
    app.advance(TimeDelta::minutes(61));
    for user in &users {
        assert_eq!(app.ended(user.session).await, "idle_timeout");
        eventually("the other replica knows the end", async || {
            replica.state.platform.tokens().revocations.ended(user.session).is_some()
        })
        .await;
    }
    app.all_events_are_out().await;
    assert_eq!(app.published("auth:session.deleted").len(), users.len());
}

#[rstest]
#[actix_web::test]
async fn no_user_ever_has_more_sessions_than_allowed_s22(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--max-sessions-per-user=3"]).await;
    let first = app.sign_up("alice").await;
    let logins = join_all((0..50).map(|_| app.log_in("alice"))).await;
    app.all_events_are_out().await;
    let ended = app.published("auth:session.deleted");
    assert_eq!(ended.len(), 48);
    assert!(ended.iter().all(|event| event["reason"] == "evicted"));
    let ended: HashSet<Value> = ended.into_iter().map(|event| event["sessionId"].clone()).collect();
    assert!(ended.contains(&json!(first.session)));
    let mut live = 0;
    for user in &logins {
        let is_live = !ended.contains(&json!(user.session));
        assert_eq!(user.is_in().await, is_live);
        live += usize::from(is_live);
    }
    assert_eq!(live, 3);
}

#[rstest]
#[actix_web::test]
async fn the_least_recently_active_session_is_evicted_s22(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--max-sessions-per-user=2"]).await;
    let oldest = app.sign_up("alice").await;
    app.advance(TimeDelta::minutes(1));
    let newer = app.log_in("alice").await;
    app.advance(TimeDelta::minutes(2));
    oldest.client.post("/api/auth/activity", &json!({})).await.expect(StatusCode::OK);
    let newest = app.log_in("alice").await;
    assert_eq!(app.ended(newer.session).await, "evicted");
    assert!(oldest.is_in().await && newest.is_in().await && !newer.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn another_users_session_looks_like_an_unknown_one_s24(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let answer = async |id: Uuid| {
        let answer = alice.client.delete(&format!("/api/auth/sessions/{id}")).await;
        let mut error = answer.error(StatusCode::NOT_FOUND, "NOT_FOUND");
        error["timestamp"].take();
        error["requestId"].take();
        error
    };
    assert_eq!(answer(bob.session).await, answer(Uuid::new_v4()).await);
    assert!(bob.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn ending_one_other_session_takes_effect_at_once_s25(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let here = app.sign_up("alice").await;
    let there = app.log_in("alice").await;
    let ended = here.client.delete(&format!("/api/auth/sessions/{}", there.session)).await;
    assert_eq!(ended.expect(StatusCode::OK), json!({"success": true, "data": null}));
    assert!(!there.is_in().await && here.is_in().await);
    let expected = json!({
        "userId": here.id, "sessionId": here.session, "targetSessionToken": there.session,
        "targetSessionId": there.session, "reason": "logout"
    });
    app.event("auth:session.terminated", |event| event == &expected).await;
    assert_eq!(app.ended(there.session).await, "logout");
    let again = here.client.delete(&format!("/api/auth/sessions/{}", there.session)).await;
    again.error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[rstest]
#[actix_web::test]
async fn every_replica_refuses_an_ended_session_s25(#[values(Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let replica = app.replica().await;
    let alice = app.sign_up("alice").await;
    let elsewhere = replica.client.with_token(&alice.access);
    assert!(elsewhere.get("/api/auth/me").await.status.is_success());
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    eventually("the other replica refuses it", async || {
        elsewhere.get("/api/auth/me").await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    let late = app.replica().await;
    let refused = late.client.with_token(&alice.access).get("/api/auth/me").await;
    let error = refused.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert_eq!(error["details"], json!({"reason": "logout"}));
}

#[rstest]
#[actix_web::test]
async fn ending_all_other_sessions_wins_against_their_refreshes_s26(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let here = app.sign_up("alice").await;
    let others = [app.log_in("alice").await, app.log_in("alice").await];
    let refreshing =
        join_all(others.iter().flat_map(|other| (0..20).map(|_| app.try_refresh(&other.refresh))));
    let (ended, refreshed) = futures_util::join!(here.client.delete("/api/auth/sessions/all"), refreshing);
    assert_eq!(ended.data(), json!({"terminated": 2}));
    for answer in refreshed {
        if answer.status == StatusCode::OK {
            let tokens = answer.data();
            let access = app.client.with_token(tokens["accessToken"].as_str().unwrap());
            access.get("/api/auth/me").await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
            let refresh = tokens["refreshToken"].as_str().unwrap();
            app.try_refresh(refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        }
    }
    assert!(here.is_in().await);
    let bulk = app.event("auth:sessions.bulk_terminated", |event| event["userId"] == json!(here.id)).await;
    assert_eq!((&bulk["count"], &bulk["exceptSessionId"]), (&json!(2), &json!(here.session)));
    for other in &others {
        assert_eq!(app.ended(other.session).await, "logout");
    }
    assert_eq!(here.client.delete("/api/auth/sessions/all").await.data(), json!({"terminated": 0}));
}

#[rstest]
#[actix_web::test]
async fn a_password_change_needs_the_current_one_and_ends_the_others_s27(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let here = app.sign_up("alice").await;
    let there = app.log_in("alice").await;
    let change = async |current: &str, new: &str| {
        let body = json!({"currentPassword": current, "newPassword": new});
        here.client.post("/api/auth/password", &body).await
    };
    let refused = change("wrong password", "battery staple").await;
    let error = refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(error["details"][0]["field"], "currentPassword");
    assert!(there.is_in().await);

    assert_eq!(change(PASSWORD, "battery staple").await.data(), json!({"terminated": 1}));
    assert!(here.is_in().await && !there.is_in().await);
    assert_eq!(app.ended(there.session).await, "password_changed");
    app.event("auth:user.updated", |event| event["generation"] == 1).await;
    app.try_refresh(&there.refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    app.refresh(&here.refresh).await;
    app.try_log_in(&here.email, PASSWORD).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    app.try_log_in(&here.email, "battery staple").await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn an_ended_session_is_kept_and_later_deleted(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--session-retention-days=2"]).await;
    let alice = app.sign_up("alice").await;
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    let kept = async || {
        let row = auth_service::session::entity::by_id(&app.state.database, alice.session).await.unwrap();
        row.map(|row| row.revoked_reason.unwrap().into_str())
    };
    app.advance(TimeDelta::hours(47));
    auth_service::sweeper::sweep(&app.state).await.unwrap();
    assert_eq!(kept().await, Some("logout"));
    app.advance(TimeDelta::hours(2));
    eventually("the session is deleted", async || kept().await.is_none()).await;
}

#[rstest]
#[actix_web::test]
async fn ended_sessions_stay_ended_when_redis_restarts_empty_s51(#[values(Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    app.ended(alice.session).await;
    app.stores.redis().restart_empty();
    let marked = format!("session:{}:logout", alice.session);
    eventually("the mark is restored", async || {
        let marks = app.state.platform.backplane().marks.live().await.unwrap_or_default();
        marks.contains(&marked)
    })
    .await;
    let newcomer = app.replica().await;
    let refused = newcomer.client.with_token(&alice.access).get("/api/auth/me").await;
    refused.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert!(app.try_log_in(&email("alice"), PASSWORD).await.status.is_success());
}
