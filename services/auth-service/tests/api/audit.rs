use auth_service::audit::entity as audit_log;
use auth_service::sweeper::sweep;
use auth_service::user::entity as user;
use chrono::TimeDelta;
use rstest::rstest;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder};
use serde_json::json;
use testing::{Backend, StatusCode};
use uuid::Uuid;

use crate::app::{App, PASSWORD, User};

/// Returns the rows about a user, oldest first.
async fn rows_of(app: &App, user: Uuid) -> Vec<audit_log::Model> {
    let rows = audit_log::Entity::find().order_by_asc(audit_log::Column::Id).all(&app.state.database).await;
    rows.unwrap().into_iter().filter(|row| row.user_id == Some(user)).collect()
}

fn actions(rows: &[audit_log::Model]) -> Vec<&str> {
    rows.iter().map(|row| row.action.as_str()).collect()
}

/// Returns the only row about the end of a session.
async fn end_of(app: &App, user: &User) -> audit_log::Model {
    let rows = rows_of(app, user.id).await.into_iter();
    let is_it =
        |row: &audit_log::Model| row.action == "session_ended" && row.session_id == Some(user.session);
    let mut ends = rows.filter(is_it).collect::<Vec<_>>();
    assert_eq!(ends.len(), 1, "{ends:?}");
    ends.remove(0)
}

#[rstest]
#[actix_web::test]
async fn each_authentication_event_is_in_the_audit_log_s56(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let alice = app.sign_up("alice").await;
    app.refresh(&alice.refresh).await;
    app.try_log_in(&alice.email, "wrong password").await.expect(StatusCode::UNAUTHORIZED);
    let change = json!({"currentPassword": PASSWORD, "newPassword": "battery staple"});
    alice.client.post("/api/auth/password", &change).await.expect(StatusCode::OK);
    let patch = json!({"role": "engineer"});
    root.client.patch(&format!("/api/auth/users/{}", alice.id), &patch).await.expect(StatusCode::OK);
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);

    let path = format!("/api/auth/audit?limit=100&userId={}", alice.id);
    let rows = root.client.get(&path).await.data();
    let actions = rows.as_array().unwrap().iter().rev().map(|row| row["action"].as_str().unwrap());
    assert_eq!(
        actions.collect::<Vec<_>>(),
        [
            "user_registered",
            "login",
            "token_refreshed",
            "login_failed",
            "password_changed",
            "user_updated",
            "logout",
            "session_ended"
        ]
    );
    let newest = &rows[0];
    assert_eq!((&newest["detail"], &newest["sessionId"]), (&json!("logout"), &json!(alice.session)));
    assert_eq!(rows[2]["actorId"], json!(root.id));
    assert_eq!(newest["ipAddress"], "127.0.0.1");

    let first = root.client.get(&format!("{path}&limit=1")).await;
    first.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let page = root.client.get("/api/auth/audit?limit=3&action=login").await.expect(StatusCode::OK);
    assert!(page["data"].as_array().unwrap().iter().all(|row| row["action"] == "login"));
    alice.client.get("/api/auth/audit").await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn the_audit_log_has_one_refresh_per_minute_s56(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values(true, false)] rotate: bool,
) {
    let app = App::with(backend, &[&format!("--refresh-rotation={rotate}")]).await;
    let alice = app.sign_up("alice").await;
    let first = app.refresh(&alice.refresh).await;
    app.refresh(&alice.refresh).await;
    app.advance(TimeDelta::minutes(1));
    app.refresh(&alice.refresh).await;
    app.advance(TimeDelta::minutes(1));
    app.refresh(&first).await;
    app.try_refresh("x").await.expect(StatusCode::UNAUTHORIZED);
    let rows = rows_of(&app, alice.id).await.split_off(2);
    assert_eq!(actions(&rows), ["token_refreshed"; 3]);
    let details = rows.iter().map(|row| row.detail.as_deref()).collect::<Vec<_>>();
    assert_eq!(details, [None, rotate.then_some("repeated"), None]);
    for row in &rows {
        assert_eq!((row.session_id, row.ip_address.as_deref()), (Some(alice.session), Some("127.0.0.1")));
    }
    if rotate {
        app.advance(TimeDelta::seconds(31));
        app.try_refresh(&alice.refresh).await.expect(StatusCode::UNAUTHORIZED);
        assert_eq!(end_of(&app, &alice).await.detail.as_deref(), Some("token_reuse"));
        assert_eq!(rows_of(&app, alice.id).await.len(), 6, "what is refused is no refresh");
    }
}

#[rstest]
#[actix_web::test]
async fn the_audit_log_names_the_reason_and_the_actor_of_each_ended_session_s56(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--max-sessions-per-user=2"]).await;
    let root = app.admin("root").await;
    let evicted = app.sign_up("alice").await;
    app.advance(TimeDelta::seconds(1));
    let (here, there) = (app.log_in("alice").await, app.log_in("alice").await);
    here.client.delete(&format!("/api/auth/sessions/{}", there.session)).await.expect(StatusCode::OK);
    let other = app.log_in("alice").await;
    here.client.delete("/api/auth/sessions/all").await.expect(StatusCode::OK);
    let changed = app.log_in("alice").await;
    let change = json!({"currentPassword": PASSWORD, "newPassword": PASSWORD});
    here.client.post("/api/auth/password", &change).await.expect(StatusCode::OK);
    let path = format!("/api/auth/users/{}", here.id);
    root.client.delete(&format!("{path}/sessions")).await.expect(StatusCode::OK);
    let disabled = app.log_in("alice").await;
    root.client.patch(&path, &json!({"isActive": false})).await.expect(StatusCode::OK);
    let ends = [
        (&evicted, "evicted", None),
        (&there, "logout", None),
        (&other, "logout", None),
        (&changed, "password_changed", None),
        (&here, "admin", Some(root.id)),
        (&disabled, "account_disabled", Some(root.id)),
    ];
    for (user, reason, actor) in ends {
        let row = end_of(&app, user).await;
        assert_eq!((row.detail.as_deref(), row.actor_id), (Some(reason), actor));
        assert_eq!(row.ip_address.as_deref(), Some("127.0.0.1"));
    }

    app.advance(TimeDelta::minutes(61));
    sweep(&app.state).await.unwrap();
    let swept = end_of(&app, &root).await;
    assert_eq!((swept.detail.as_deref(), swept.ip_address), (Some("idle_timeout"), None));
}

#[rstest]
#[actix_web::test]
async fn wrong_passwords_and_upgrades_are_in_the_audit_log_s56(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let change = json!({"currentPassword": "wrong password", "newPassword": "battery staple"});
    alice.client.post("/api/auth/password", &change).await.expect(StatusCode::BAD_REQUEST);
    let old = bcrypt::hash(PASSWORD, 4).unwrap();
    let old = user::ActiveModel { id: Set(alice.id), password: Set(old), ..Default::default() };
    old.update(&app.state.database).await.unwrap();
    app.log_in("alice").await;
    app.log_in("alice").await;
    let rows = rows_of(&app, alice.id).await.split_off(2);
    assert_eq!(actions(&rows), ["password_change_failed", "login", "password_upgraded", "login"]);

    app.try_log_in("nobody@example.com", PASSWORD).await.expect(StatusCode::UNAUTHORIZED);
    let newest =
        audit_log::Entity::find().order_by_desc(audit_log::Column::Id).one(&app.state.database).await;
    let newest = newest.unwrap().unwrap();
    assert_eq!((newest.action.as_str(), newest.user_id), ("login_failed", None));
}

#[rstest]
#[actix_web::test]
async fn frequent_audit_rows_are_deleted_with_old_sessions(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let limits = ["--login-failures-per-ip=1000", "--login-failures-per-account=1000"];
    let per_day = "--login-failures-per-account-per-day=1000";
    let retention = ["--session-retention-days=2", "--logins-per-account=1000", per_day];
    let app = App::with(backend, &[limits.as_slice(), &retention].concat()).await;
    let alice = app.sign_up("alice").await;
    // More than one batch of rows to delete, with rows among them that stay.
    for _ in 0..510 {
        app.try_log_in(&alice.email, "wrong password").await.expect(StatusCode::UNAUTHORIZED);
    }
    app.refresh(&alice.refresh).await;
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    app.advance(TimeDelta::hours(47));
    sweep(&app.state).await.unwrap();
    assert_eq!(rows_of(&app, alice.id).await.len(), 2 + 510 + 1 + 2);
    let again = app.log_in("alice").await;
    app.refresh(&again.refresh).await;
    app.advance(TimeDelta::hours(2));
    sweep(&app.state).await.unwrap();
    let left = rows_of(&app, alice.id).await;
    let expected =
        ["user_registered", "login", "logout", "session_ended", "login", "token_refreshed", "session_ended"];
    assert_eq!(actions(&left), expected);
}
