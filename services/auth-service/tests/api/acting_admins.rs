//! The rights of a caller come from the database where tokens and marks may be out of date.

use auth_service::entity::{StoredRole, user};
use contracts::Role;
use rstest::rstest;
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use serde_json::json;
use testing::{Backend, StatusCode};
use uuid::Uuid;

use crate::app::App;

/// Changes a row without an event or a mark, as a replica does whose Redis is unavailable.
async fn by_hand(app: &App, id: Uuid, change: user::ActiveModel) {
    user::ActiveModel { id: Set(id), ..change }.update(&*app.state.db).await.unwrap();
}

fn role(role: Role) -> user::ActiveModel {
    user::ActiveModel { role: Set(StoredRole(role)), ..Default::default() }
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
