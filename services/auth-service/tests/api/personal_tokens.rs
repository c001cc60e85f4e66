//! Personal tokens: another system acts as a person, as long as nothing about the person changes.

use auth_service::user::entity as user;
use contracts::Role;
use rstest::rstest;
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};

use crate::app::{App, PASSWORD, User};

const TOKENS: &str = "/api/auth/personal-tokens";

async fn engineer(app: &App, root: &User, name: &str) -> User {
    let user = app.sign_up(name).await;
    set(root, &user, json!({"role": "engineer"})).await;
    user
}

async fn set(root: &User, user: &User, change: Value) {
    root.client.patch(&format!("/api/auth/users/{}", user.id), &change).await.expect(StatusCode::OK);
}

async fn create(user: &User) -> (String, String) {
    let made = user.client.post(TOKENS, &json!({"name": "Slack"})).await.expect(StatusCode::CREATED);
    let text = |name: &str| made["data"][name].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

fn works(app: &App, token: &str) -> bool {
    app.state.platform.tokens().verifier.verify(token).is_ok()
}

#[rstest]
#[actix_web::test]
async fn a_personal_token_is_its_owner_as_an_engineer_and_changes_no_account(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let (id, token) = create(&root).await;
    let claims = app.state.platform.tokens().verifier.verify(&token).unwrap();
    assert_eq!((claims.user_id, claims.role), (root.id.to_string(), Role::Engineer));
    assert_eq!(claims.sid.unwrap().to_string(), id);
    let other_system = app.client.with_token(&token);
    for path in ["/api/auth/me", "/api/auth/users", "/api/auth/sessions", TOKENS, "/api/auth/tokens"] {
        other_system.get(path).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    other_system.post(TOKENS, &json!({"name": "x"})).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");

    let listed = root.client.get(TOKENS).await;
    assert!(!listed.text.contains(&token));
    assert_eq!((&listed.data()[0]["id"], &listed.data()[0]["name"]), (&json!(id), &json!("Slack")));
    assert_eq!(root.client.get("/api/auth/tokens").await.data(), json!([]), "it is no token of a machine");
    let path = format!("{TOKENS}/{id}");
    let other = engineer(&app, &root, "other").await;
    other.client.delete(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    root.client.delete(&path).await.expect(StatusCode::OK);
    assert!(!works(&app, &token));
    assert_eq!(root.client.get(TOKENS).await.data(), json!([]));
    let event = app.event("auth:session.deleted", |event| event["sessionId"] == *id).await;
    assert_eq!(event["userId"], json!(root.id));
}

#[rstest]
#[actix_web::test]
async fn viewers_have_no_personal_tokens_and_others_at_most_twenty(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, viewer) = (app.admin("root").await, app.sign_up("viewer").await);
    let body = json!({"name": "Slack"});
    viewer.client.post(TOKENS, &body).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    for _ in 0..20 {
        create(&root).await;
    }
    root.client.post(TOKENS, &body).await.error(StatusCode::CONFLICT, "CONFLICT");
}

#[rstest]
#[case::role(json!({"role": "viewer"}))]
#[case::promotion(json!({"role": "admin"}))]
#[case::account(json!({"accountId": "acme"}))]
#[case::disabled(json!({"isActive": false}))]
#[actix_web::test]
async fn a_change_by_an_admin_revokes_personal_tokens(
    #[case] change: Value,
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let ann = engineer(&app, &root, "ann").await;
    let ((_, of_ann), (_, of_root)) = (create(&ann).await, create(&root).await);
    set(&root, &ann, change).await;
    assert!(!works(&app, &of_ann) && works(&app, &of_root));
}

#[rstest]
#[actix_web::test]
async fn a_new_password_the_end_of_all_sessions_and_a_change_by_hand_revoke_personal_tokens(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let ann = engineer(&app, &root, "ann").await;
    let (_, token) = create(&ann).await;
    let passwords = json!({"currentPassword": PASSWORD, "newPassword": "another correct horse"});
    ann.client.post("/api/auth/password", &passwords).await.expect(StatusCode::OK);
    assert!(!works(&app, &token));

    let bob = engineer(&app, &root, "bob").await;
    let (_, token) = create(&bob).await;
    root.client.delete(&format!("/api/auth/users/{}/sessions", bob.id)).await.expect(StatusCode::OK);
    assert!(!works(&app, &token));

    let eve = engineer(&app, &root, "eve").await;
    let (_, token) = create(&eve).await;
    let by_hand = user::ActiveModel { id: Set(eve.id), role: Set(Role::Viewer), ..Default::default() };
    by_hand.update(&app.state.database).await.unwrap();
    eventually("the sweeper revokes the token", async || !works(&app, &token)).await;
}
