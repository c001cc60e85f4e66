use auth_service::user::entity as user;
use contracts::Role;
use rstest::rstest;
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, StatusCode};
use uuid::Uuid;

use crate::app::{App, PASSWORD, User, email};
use crate::deletion::write_mail;
use crate::leaks::rows;

fn new_user(name: &str) -> Value {
    json!({"name": name, "email": email(name), "password": PASSWORD, "role": "engineer", "accountId": "acme"})
}

async fn patch(admin: &User, id: Uuid, change: Value) -> Answer {
    admin.client.patch(&format!("/api/auth/users/{id}"), &change).await
}

/// Marks the email as verified, as the user of a link does.
async fn verify(app: &App, id: Uuid) {
    let now = app.state.platform.clock().now();
    let change = user::ActiveModel { id: Set(id), email_verified_at: Set(Some(now)), ..Default::default() };
    change.update(&app.state.database).await.unwrap();
}

#[rstest]
#[actix_web::test]
async fn an_admin_creates_users(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--password-policy=strong"]).await;
    let strong = "quaxtrobbel marguerite 77";
    let body = json!({"name": "root", "email": email("root"), "password": strong});
    let root = app.user(&app.client.post("/api/auth/signup", &body).await);
    let role = user::ActiveModel { id: Set(root.id), role: Set(Role::Admin), ..Default::default() };
    role.update(&app.state.database).await.unwrap();
    let root = app.user(&app.try_log_in(&root.email, strong).await);
    let body =
        |name: &str| json!({"name": name, "email": email(name), "password": strong, "role": "engineer"});
    let created = root.client.post("/api/auth/users", &body("alice")).await.expect(StatusCode::CREATED);
    let created = &created["data"];
    assert_eq!((&created["role"], &created["emailVerifiedAt"]), (&json!("engineer"), &Value::Null));
    let registered = app.event("auth:user.registered", |event| event["userId"] == created["id"]).await;
    assert_eq!(registered["email"], json!(email("alice")));
    let alice = app.user(&app.try_log_in(&email("alice"), strong).await);
    let path = format!("/api/auth/audit?userId={}&action=user_registered", alice.id);
    assert_eq!(root.client.get(&path).await.data()[0]["actorId"], json!(root.id));

    let taken = root.client.post("/api/auth/users", &body("alice")).await;
    taken.error(StatusCode::CONFLICT, "CONFLICT");
    for (field, value) in [
        ("password", json!("password1")),
        ("password", json!("short")),
        ("role", json!("root")),
        ("name", json!("")),
        ("email", json!("nobody")),
        ("accountId", json!("a b")),
        ("isActive", json!(true)),
    ] {
        let mut body = body("bob");
        body[field] = value;
        let answer = root.client.post("/api/auth/users", &body).await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field, "{error}");
    }
    let by_others = alice.client.post("/api/auth/users", &body("bob")).await;
    by_others.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[rstest]
#[actix_web::test]
async fn an_admin_whose_demotion_did_not_arrive_creates_and_deletes_nobody(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (other, alice) = (app.admin("other").await, app.sign_up("alice").await);
    app.admin("root").await;
    let demoted = user::ActiveModel { id: Set(other.id), role: Set(Role::Viewer), ..Default::default() };
    demoted.update(&app.state.database).await.unwrap();
    let created = other.client.post("/api/auth/users", &new_user("bob")).await;
    created.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let deleted = other.client.delete(&format!("/api/auth/users/{}", alice.id)).await;
    deleted.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert!(alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn users_are_filtered(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    root.client.post("/api/auth/users", &new_user("carl")).await.expect(StatusCode::CREATED);
    patch(&root, bob.id, json!({"isActive": false})).await.expect(StatusCode::OK);
    verify(&app, alice.id).await;
    let found = async |query: &str| {
        let listed = root.client.get(&format!("/api/auth/users?{query}")).await.data();
        let names = listed.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(found("role=engineer").await, ["carl"]);
    assert_eq!(found("isActive=false").await, ["bob"]);
    assert_eq!(found("isActive=true&role=viewer").await, ["alice"]);
    assert_eq!(found("verified=true").await, ["alice"]);
    assert_eq!(found("verified=false&limit=2").await, ["bob", "carl"]);
    assert_eq!(found("verified=false&q=o&isActive=true").await, ["carl", "root"]);
    assert_eq!(found("").await, ["alice", "bob", "carl", "root"]);
    for query in ["role=root", "role=", "isActive=1", "verified=x", "is_active=true"] {
        let answer = root.client.get(&format!("/api/auth/users?{query}")).await;
        answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}

#[rstest]
#[actix_web::test]
async fn an_admin_looks_at_one_user(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let again = app.log_in("alice").await;
    let path = format!("/api/auth/users/{}", alice.id);
    let shown = root.client.get(&path).await.data();
    assert_eq!((&shown["email"], &shown["openSessions"]), (&json!(alice.email), &json!(2)));
    assert_eq!(shown["locks"], json!([]));
    let sessions = root.client.get(&format!("{path}/sessions")).await.data();
    let ids = |sessions: &Value| {
        let ids = sessions.as_array().unwrap().iter().map(|session| session["id"].to_string());
        ids.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(ids(&sessions), [&alice, &again].map(|user| json!(user.session).to_string()).into());
    assert!(sessions.as_array().unwrap().iter().all(|session| session["current"] == false));
    assert_eq!(sessions[0]["ipAddress"], "127.0.0.1");
    let own = root.client.get(&format!("/api/auth/users/{}/sessions", root.id)).await.data();
    let current = own.as_array().unwrap().iter().filter(|session| session["current"] == true);
    assert_eq!(current.map(|session| session["id"].clone()).collect::<Vec<_>>(), [json!(root.session)]);
    app.advance(chrono::TimeDelta::hours(2));
    let root = app.log_in("root").await;
    assert_eq!(root.client.get(&path).await.data()["openSessions"], 0, "expired sessions do not count");
    let unknown = format!("/api/auth/users/{}", Uuid::new_v4());
    for path in [&unknown, &format!("{unknown}/sessions")] {
        root.client.get(path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    let alice = app.log_in("alice").await;
    for path in [&path, &format!("{path}/sessions")] {
        alice.client.get(path).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    }
}

#[rstest]
#[actix_web::test]
async fn a_new_email_from_an_admin_is_not_verified(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice, bob) = (app.admin("root").await, app.sign_up("alice").await, app.sign_up("bob").await);
    verify(&app, alice.id).await;
    write_mail(&app, Some(alice.id), &alice.email).await;
    write_mail(&app, Some(bob.id), &bob.email).await;
    let taken = patch(&root, alice.id, json!({"email": bob.email.to_uppercase()})).await;
    taken.error(StatusCode::CONFLICT, "CONFLICT");
    let same = patch(&root, alice.id, json!({"email": alice.email, "name": "Alicia"})).await.data();
    assert_ne!(same["emailVerifiedAt"], Value::Null, "the same address stays verified");
    let mails = async |user: &User| {
        let rows = rows(&app).await.into_iter();
        rows.filter(|row| row["template"].is_string() && row["recipient"] == json!(user.email)).count()
    };
    assert_eq!(mails(&alice).await, 1);

    let changed = patch(&root, alice.id, json!({"email": "New@Example.com"})).await.data();
    assert_eq!((&changed["email"], &changed["name"]), (&json!("new@example.com"), &json!("Alicia")));
    assert_eq!(changed["emailVerifiedAt"], Value::Null);
    assert_eq!((mails(&alice).await, mails(&bob).await), (0, 1), "links to the old address are deleted");
    app.try_log_in(&alice.email, PASSWORD).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    app.try_log_in("new@example.com", PASSWORD).await.expect(StatusCode::OK);
    let found = root.client.get("/api/auth/users?q=new%40example").await.data();
    assert_eq!(found[0]["id"], json!(alice.id));
    assert!(root.client.get("/api/auth/users?q=alice%40").await.data().as_array().unwrap().is_empty());

    // The address is a claim of the token, so the client is told to get a new one.
    assert!(alice.is_in().await);
    let event = app.event("auth:user.updated", |event| event["generation"] == 2).await;
    assert_eq!(event["userId"], json!(alice.id));
    let refreshed = app.try_refresh(&alice.refresh).await.data();
    let verifier = &app.state.platform.tokens().verifier;
    assert_eq!(verifier.verify(refreshed["accessToken"].as_str().unwrap()).unwrap().email, "new@example.com");
    let path = format!("/api/auth/audit?userId={}&action=user_updated", alice.id);
    let audit = root.client.get(&path).await.data();
    let details = audit.as_array().unwrap().iter().map(|row| row["detail"].clone()).collect::<Vec<_>>();
    assert_eq!(details, ["role=viewer active=true email=changed", "role=viewer active=true name=changed"]);
    assert!(audit.as_array().unwrap().iter().all(|row| row["actorId"] == json!(root.id)));
    let nobody: &Client = &bob.client;
    let refused =
        nobody.patch(&format!("/api/auth/users/{}", bob.id), &json!({"email": "x@y.example"})).await;
    refused.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}
