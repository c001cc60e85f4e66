//! The rights of a caller come from the database where tokens and marks may be out of date.

use auth_service::user::entity as user;
use contracts::Role;
use rstest::rstest;
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};
use uuid::Uuid;

use crate::app::{App, User};
use crate::tokens::{part, sign};

/// Changes a row without an event or a mark, as a replica does whose Redis is unavailable.
async fn by_hand(app: &App, id: Uuid, change: user::ActiveModel) {
    user::ActiveModel { id: Set(id), ..change }.update(&app.state.database).await.unwrap();
}

fn role(role: Role) -> user::ActiveModel {
    user::ActiveModel { role: Set(role), ..Default::default() }
}

#[rstest]
#[actix_web::test]
async fn an_admin_whose_demotion_did_not_arrive_can_change_nothing_s30(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, former, alice) =
        (app.admin("root").await, app.admin("former").await, app.sign_up("alice").await);
    let body = json!({"name": "scanner", "role": "viewer"});
    let token = root.client.post("/api/auth/tokens", &body).await.data();
    by_hand(&app, former.id, role(Role::Viewer)).await;

    let user = |id: Uuid| format!("/api/auth/users/{id}");
    for refused in [
        former.client.patch(&user(former.id), &json!({"role": "admin"})).await,
        former.client.patch(&user(alice.id), &json!({"role": "admin"})).await,
        former.client.delete(&format!("{}/sessions", user(alice.id))).await,
        former.client.delete(&format!("{}/locks", user(alice.id))).await,
        former.client.delete(&format!("/api/auth/tokens/{}", token["id"].as_str().unwrap())).await,
        former.client.post("/api/auth/tokens", &body).await,
    ] {
        refused.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    }
    assert_eq!(alice.client.get("/api/auth/me").await.data()["role"], "viewer");
    assert_eq!(root.client.get("/api/auth/tokens").await.data().as_array().unwrap().len(), 1);
    by_hand(&app, former.id, role(Role::Admin)).await;
    former.client.patch(&user(alice.id), &json!({"role": "engineer"})).await.expect(StatusCode::OK);
}

/// Returns a client with a token of the old stack for this user. Nothing in it can be revoked.
fn with_old_token(app: &App, user: &User) -> Client {
    let claims = part(&user.access, 1);
    let names = ["userId", "email", "role", "type", "iat", "exp", "iss", "aud"];
    let old = names.iter().map(|name| ((*name).to_owned(), claims[*name].clone())).collect();
    app.client.with_token(&sign(&json!({"alg": "HS256", "typ": "JWT"}), &Value::Object(old)))
}

#[rstest]
#[actix_web::test]
async fn the_row_decides_the_rights_of_an_old_token_s82(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--jwt-accept-legacy=true"]).await;
    let (root, former) = (app.admin("root").await, app.admin("former").await);
    let (trusted, demoted) = (with_old_token(&app, &root), with_old_token(&app, &former));
    let (me, users) = ("/api/auth/me", "/api/auth/users");
    for client in [&trusted, &demoted] {
        client.get(users).await.expect(StatusCode::OK);
    }
    by_hand(&app, former.id, role(Role::Viewer)).await;
    demoted.get(users).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    demoted.get(me).await.expect(StatusCode::OK);
    by_hand(&app, former.id, user::ActiveModel { is_active: Set(false), ..role(Role::Admin) }).await;
    for path in [me, users] {
        demoted.get(path).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    trusted.get(users).await.expect(StatusCode::OK);
}
