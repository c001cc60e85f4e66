use auth_service::user::entity as user;
use futures_util::join;
use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use testing::{Answer, Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, PASSWORD, User, email};

async fn patch(admin: &User, id: Uuid, change: Value) -> Answer {
    admin.client.patch(&format!("/api/auth/users/{id}"), &change).await
}

#[rstest]
#[actix_web::test]
async fn disabling_a_user_ends_all_sessions_s28(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let (alice, again) = (app.sign_up("alice").await, app.log_in("alice").await);
    let answer = patch(&root, alice.id, json!({"isActive": false})).await;
    assert_eq!(answer.data()["isActive"], false);
    for session in [&alice, &again] {
        assert!(!session.is_in().await);
        assert_eq!(app.ended(session.session).await, "account_disabled");
        app.try_refresh(&session.refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    app.try_log_in(&alice.email, PASSWORD).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    patch(&root, alice.id, json!({"isActive": true})).await.expect(StatusCode::OK);
    assert!(!alice.is_in().await);
    assert!(app.log_in("alice").await.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn a_role_change_applies_at_the_next_request_and_keeps_the_session_s29(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    alice.client.get("/api/auth/users").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    patch(&root, alice.id, json!({"role": "admin", "accountId": "acme"})).await.expect(StatusCode::OK);
    alice.client.get("/api/auth/users").await.expect(StatusCode::OK);
    let me = alice.client.get("/api/auth/me").await.data();
    assert_eq!((&me["role"], &me["accountId"]), (&json!("admin"), &json!("acme")));
    let updated = json!({"userId": alice.id, "role": "admin", "isActive": true, "generation": 1});
    app.event("auth:user.updated", |event| event == &updated).await;

    patch(&root, alice.id, json!({"role": "viewer", "accountId": null})).await.expect(StatusCode::OK);
    alice.client.get("/api/auth/users").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(alice.client.get("/api/auth/me").await.data()["accountId"], Value::Null);
    let refreshed = app.try_refresh(&alice.refresh).await.data();
    let renewed = app.client.with_token(refreshed["accessToken"].as_str().unwrap());
    renewed.get("/api/auth/users").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[rstest]
#[actix_web::test]
async fn an_admin_ends_a_users_sessions_s30(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let again = app.log_in("alice").await;
    let path = |id: Uuid| format!("/api/auth/users/{id}/sessions");
    assert_eq!(root.client.delete(&path(alice.id)).await.data(), json!({"terminated": 2}));
    assert!(!alice.is_in().await && !again.is_in().await);
    assert_eq!(app.ended(again.session).await, "admin");
    root.client.delete(&path(Uuid::new_v4())).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let bob = app.sign_up("bob").await;
    bob.client.delete(&path(root.id)).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[rstest]
#[actix_web::test]
async fn the_last_active_admin_stays_s30(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    for change in [json!({"role": "engineer"}), json!({"isActive": false})] {
        patch(&root, root.id, change).await.error(StatusCode::CONFLICT, "CONFLICT");
    }
    let mut second = app.admin("second").await;
    // Another process, because the changes of admins take turns in one.
    let replica = if backend == Backend::Real { Some(app.replica().await) } else { None };
    if let Some(replica) = &replica {
        second.client = replica.client.with_token(&second.access);
    }
    // Holds both rows until both changes wait for them. On SQLite, no change can begin meanwhile.
    let db = &app.state.database;
    let held = db.begin().await.unwrap();
    for id in [root.id, second.id] {
        user::lock(&held, id).await.unwrap();
    }
    let release = async {
        if backend == Backend::Real {
            let waiting = "SELECT count(*) FROM pg_stat_activity \
                           WHERE wait_event_type = 'Lock' AND datname = current_database()";
            let waiting = Statement::from_string(db.get_database_backend(), waiting);
            eventually("both changes wait", async || {
                let count = db.query_one_raw(waiting.clone()).await.unwrap().unwrap();
                count.try_get_by_index::<i64>(0).unwrap() == 2
            })
            .await;
        }
        drop(held);
    };
    let (one, other, ()) = join!(
        patch(&root, second.id, json!({"role": "viewer"})),
        patch(&second, root.id, json!({"role": "viewer"})),
        release,
    );
    let done = [&one, &other].iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(done, 1, "{} {}", one.text, other.text);
    let admins = if one.status == StatusCode::OK { &root } else { &second };
    assert_eq!(admins.client.get("/api/auth/users?limit=100").await.data().as_array().unwrap().len(), 2);
}

#[rstest]
#[actix_web::test]
async fn users_are_listed_by_page_and_searched(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    for name in ["anna", "anna_b", "anna%c", "carl"] {
        let body = json!({"name": name.to_uppercase(), "email": email(&name.replace('%', ".")), "password": PASSWORD});
        app.client.post("/api/auth/signup", &body).await.expect(StatusCode::CREATED);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = root.client.get(&format!("/api/auth/users?limit=2{cursor}")).await.expect(StatusCode::OK);
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()),
        );
        match page["page"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected = ["anna.c", "anna", "anna_b", "carl", "root"].map(email);
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), 5);
    assert!(expected.iter().all(|email| seen.contains(email)), "{seen:?}");

    let found = async |q: &str| {
        let found = root.client.get(&format!("/api/auth/users?q={q}")).await;
        found.data().as_array().unwrap().len()
    };
    assert_eq!(found("ANNA").await, 3);
    assert_eq!(found("carl@").await, 1);
    assert_eq!(found("a_b").await, 1);
    assert_eq!(found("a%25c").await, 1);
    assert_eq!(found("%25").await, 1);
    assert_eq!(found("%5C").await, 0);
}
