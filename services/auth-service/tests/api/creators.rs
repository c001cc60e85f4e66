//! Service tokens do not outlive their creator's right to create them.

use auth_service::service_token::entity as service_token;
use auth_service::user::entity as user;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Role;
use rstest::rstest;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode, eventually};

use crate::app::{App, User};

/// Creates a service token as this user. Returns its id, and a client that sends it.
async fn create(app: &App, admin: &User, role: &str) -> (Value, Client) {
    let made = admin.client.post("/api/auth/tokens", &json!({"name": "scanner", "role": role})).await;
    let made = made.expect(StatusCode::CREATED)["data"].take();
    (made["id"].clone(), app.client.with_token(made["token"].as_str().unwrap()))
}

/// Whether the token is still accepted as a service token, which has no user of its own.
async fn works(client: &Client) -> bool {
    match client.get("/api/auth/me").await.status {
        StatusCode::FORBIDDEN => true,
        StatusCode::UNAUTHORIZED => false,
        status => panic!("{status}"),
    }
}

#[rstest]
#[case(json!({"isActive": false}), "account_disabled")]
#[case(json!({"role": "engineer"}), "admin")]
#[case(json!({"role": "viewer"}), "admin")]
#[actix_web::test]
async fn tokens_are_revoked_when_their_creator_stops_being_an_active_admin_s64(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[case] change: Value,
    #[case] reason: &str,
) {
    let app = App::start(backend).await;
    let (root, other) = (app.admin("root").await, app.admin("other").await);
    let (id, scanner) = create(&app, &other, "engineer").await;
    let (_, reader) = create(&app, &other, "viewer").await;
    let (_, untouched) = create(&app, &root, "engineer").await;
    assert!(works(&scanner).await && works(&reader).await);

    let path = format!("/api/auth/users/{}", other.id);
    root.client.patch(&path, &json!({"accountId": "acme"})).await.expect(StatusCode::OK);
    assert!(works(&scanner).await, "a new account is not a demotion");
    root.client.patch(&path, &change).await.expect(StatusCode::OK);
    assert!(!works(&scanner).await && !works(&reader).await);
    assert!(works(&untouched).await);
    let event = app.event("auth:session.deleted", |event| event["sessionId"] == id).await;
    assert_eq!(event["reason"], reason);
    let audit = root.client.get("/api/auth/audit?action=service_token_ended").await.data();
    assert_eq!(audit.as_array().unwrap().len(), 2);
    for row in audit.as_array().unwrap() {
        assert_eq!((&row["actorId"], &row["detail"]), (&json!(root.id), &json!(reason)));
    }
    assert_eq!(root.client.get("/api/auth/tokens").await.data().as_array().unwrap().len(), 1);

    root.client.patch(&path, &json!({"isActive": true, "role": "admin"})).await.expect(StatusCode::OK);
    assert!(!works(&scanner).await, "a revoked token stays revoked");
}

#[rstest]
#[actix_web::test]
async fn a_restored_mark_of_a_service_token_has_its_reason_s64(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, other) = (app.admin("root").await, app.admin("other").await);
    let ((of_root, _), (of_other, _)) =
        (create(&app, &root, "viewer").await, create(&app, &other, "viewer").await);
    let path = format!("/api/auth/tokens/{}", of_root.as_str().unwrap());
    root.client.delete(&path).await.expect(StatusCode::OK);
    let path = format!("/api/auth/users/{}", other.id);
    root.client.patch(&path, &json!({"isActive": false})).await.expect(StatusCode::OK);

    let restored = app.with_new_backplane(backend).await;
    auth_service::sweeper::restore_marks(&restored.state).await.unwrap();
    let marks = restored.state.platform.backplane().marks.live().await.unwrap();
    for (id, reason) in [(of_root, "admin"), (of_other, "account_disabled")] {
        let mark = format!("session:{}:{reason}", id.as_str().unwrap());
        assert!(marks.contains(&mark), "{mark} {marks:?}");
    }
}

#[rstest]
#[actix_web::test]
async fn tokens_are_revoked_when_their_creator_was_changed_by_hand_s64(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, other) = (app.admin("root").await, app.admin("other").await);
    let (id, scanner) = create(&app, &other, "engineer").await;
    let (_, untouched) = create(&app, &root, "engineer").await;
    let by_hand = user::ActiveModel { id: Set(other.id), role: Set(Role::Viewer), ..Default::default() };
    by_hand.update(&app.state.database).await.unwrap();
    eventually("the sweeper revokes the token", async || !works(&scanner).await).await;
    app.event("auth:session.deleted", |event| event["sessionId"] == id).await;
    assert!(works(&untouched).await);
}

#[rstest]
#[actix_web::test]
async fn a_token_lives_ninety_days_by_default_s64(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    create(&app, &root, "viewer").await;
    let listed = root.client.get("/api/auth/tokens").await.data();
    let time = |name: &str| serde_json::from_value::<DateTime<Utc>>(listed[0][name].clone()).unwrap();
    assert_eq!(time("expiresAt") - time("createdAt"), TimeDelta::days(90));
}

#[rstest]
#[actix_web::test]
async fn the_number_of_service_tokens_is_limited_s60(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let body = json!({"name": "scanner", "role": "viewer"});
    for _ in 0..500 {
        root.client.post("/api/auth/tokens", &body).await.expect(StatusCode::CREATED);
    }
    root.client.post("/api/auth/tokens", &body).await.error(StatusCode::CONFLICT, "CONFLICT");
    app.advance(TimeDelta::days(91));
    let root = app.log_in("root").await;
    root.client.post("/api/auth/tokens", &body).await.expect(StatusCode::CREATED);
    app.advance(TimeDelta::days(91));
    auth_service::sweeper::sweep(&app.state).await.unwrap();
    let rows = service_token::Entity::find().count(&app.state.database).await.unwrap();
    assert_eq!(rows, 1, "those that expired long ago are deleted");
}
