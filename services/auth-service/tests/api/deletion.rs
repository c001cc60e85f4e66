use auth_service::compat::settings as user_settings;
use auth_service::login::attempt::account;
use auth_service::user::email::Email;
use contracts::events::auth::EndReason;
use futures_util::join;
use identity::TokenError;
use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Map, Value, json};
use testing::{Answer, Backend, Method, StatusCode, eventually};
use uuid::Uuid;

use crate::app::{App, BEHIND_PROXY, PASSWORD, User, WRONG, email};
use crate::leaks::rows;

pub(crate) async fn delete_me(user: &User, password: &str) -> Answer {
    let request = user.client.request(Method::DELETE, "/api/auth/me");
    user.client.send(request.json(&json!({"currentPassword": password}))).await
}

pub(crate) async fn delete(admin: &User, id: Uuid) -> Answer {
    admin.client.delete(&format!("/api/auth/users/{id}")).await
}

/// Inserts a link and a mail of a user, as a request for a mail does.
pub(crate) async fn write_mail(app: &App, user_id: Option<Uuid>, address: &str) {
    let db = &app.state.database;
    let (user, now) = (user_id.map_or("NULL".into(), |id| quoted(app, id)), "'2026-11-27 00:00:00+00:00'");
    for statement in [
        format!(
            r#"INSERT INTO links ("id", "purpose", "userId", "email", "content", "createdAt", "expiresAt")
               VALUES ({}, 'reset_password', {user}, '{address}', '{{}}', {now}, {now})"#,
            quoted(app, Uuid::new_v4()),
        ),
        format!(
            r#"INSERT INTO mails ("id", "template", "userId", "recipient", "content", "createdAt")
               VALUES ({}, 'reset_password', {user}, '{address}', '{{}}', {now})"#,
            quoted(app, Uuid::new_v4()),
        ),
    ] {
        db.execute_raw(Statement::from_string(db.get_database_backend(), statement)).await.unwrap();
    }
}

/// An id as a literal of the database: SQLite stores the bytes.
fn quoted(app: &App, id: Uuid) -> String {
    match app.state.database.get_database_backend() {
        sea_orm::DbBackend::Sqlite => format!("x'{}'", id.simple()),
        _ => format!("'{id}'"),
    }
}

#[rstest]
#[actix_web::test]
async fn an_account_is_deleted_only_with_its_password(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=3"]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    for _ in 0..3 {
        let error = delete_me(&alice, WRONG).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "currentPassword");
    }
    // The right password is refused as well once too many were wrong, for every change that asks for it.
    delete_me(&alice, PASSWORD).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    let change = json!({"currentPassword": PASSWORD, "newPassword": "battery staple"});
    let locked = alice.client.post("/api/auth/password", &change).await;
    locked.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    assert!(alice.is_in().await);
    bob.client.delete("/api/auth/me").await.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(bob.is_in().await);
    assert_eq!(delete_me(&bob, PASSWORD).await.data(), json!({"terminated": 1}));
    assert!(!bob.is_in().await);
    app.try_log_in(&bob.email, PASSWORD).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn the_tokens_of_a_deleted_user_are_refused_everywhere_at_once(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values(true, false)] by_admin: bool,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.admin("alice").await);
    let replica = if backend == Backend::Real { Some(app.replica().await) } else { None };
    let again = app.log_in("alice").await;
    let token = alice.client.post("/api/auth/tokens", &json!({"name": "scanner", "role": "viewer"})).await;
    let token = token.data();
    let machine = token["token"].as_str().unwrap();
    let answer = if by_admin { delete(&root, alice.id).await } else { delete_me(&alice, PASSWORD).await };
    assert_eq!(answer.data(), json!({"terminated": 3}));

    for process in [Some(&app), replica.as_ref()].into_iter().flatten() {
        for session in [&alice, &again] {
            let me = process.client.with_token(&session.access).get("/api/auth/me").await;
            me.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
            process.try_refresh(&session.refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        }
        let used = process.client.with_token(machine).get("/api/auth/me").await;
        used.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    for id in [json!(alice.session), json!(again.session), token["id"].clone()] {
        let event = app.event("auth:session.deleted", |event| event["sessionId"] == id).await;
        assert_eq!(event["reason"], "account_deleted");
    }
    app.event("auth:user.deleted", |event| event == &json!({"userId": alice.id})).await;
    app.all_events_are_out().await;
    let updated = app.published("auth:user.updated").pop().unwrap();
    assert_eq!((&updated["userId"], &updated["isActive"]), (&json!(alice.id), &json!(false)));

    // Services without the database know it from the marks, which a new backplane gets again.
    let newcomer = app.with_new_backplane(backend).await;
    let revoked = Err(TokenError::Revoked { reason: EndReason::AccountDeleted });
    let deleted_user = format!("user:{}:{}:viewer:false:", alice.id, updated["generation"]);
    eventually("the marks are restored", async || {
        let tokens = [alice.access.as_str(), &again.access, machine];
        let verifier = &newcomer.state.platform.tokens().verifier;
        let marks = newcomer.state.platform.backplane().marks.live().await.unwrap();
        tokens.iter().all(|token| verifier.verify(token).map(drop) == revoked)
            && marks.contains(&deleted_user)
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn the_last_active_admin_cannot_be_deleted(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    delete_me(&root, PASSWORD).await.error(StatusCode::CONFLICT, "CONFLICT");
    delete(&root, root.id).await.error(StatusCode::CONFLICT, "CONFLICT");
    assert!(root.is_in().await);
    let second = app.admin("second").await;
    // On Postgres in another process, because the changes of admins take turns in one.
    let replica = app.replica().await;
    let elsewhere = User { client: replica.client.with_token(&second.access), ..second.clone() };
    let (one, other) = join!(delete(&root, root.id), delete(&elsewhere, second.id));
    let mut statuses = [one.status, other.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
}

#[rstest]
#[actix_web::test]
async fn no_personal_data_of_a_deleted_user_remains(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values(true, false)] by_admin: bool,
) {
    const NAME: &str = "Canaria Quaxtrobbel";
    const IP: &str = "203.0.113.77";
    let app = App::with(backend, &[BEHIND_PROXY]).await;
    let (root, bob) = (app.admin("root").await, app.sign_up("bob").await);
    let address = email("canaria");
    let browser = app.at(IP).with_header("user-agent", "CanaryBrowser/1.0");
    let body = json!({"name": NAME, "email": address, "password": PASSWORD});
    let signed_up = app.user(&browser.post("/api/auth/signup", &body).await);
    let role = json!({"role": "admin", "accountId": "acme", "name": format!("{NAME} II")});
    let path = format!("/api/auth/users/{}", signed_up.id);
    root.client.patch(&path, &role).await.expect(StatusCode::OK);
    browser.post("/api/auth/login", &json!({"email": address, "password": WRONG})).await;
    let mut canary =
        app.user(&browser.post("/api/auth/login", &json!({"email": address, "password": PASSWORD})).await);
    canary.client = browser.with_token(&canary.access);
    let profile = json!({"name": NAME, "language": "gsw", "timeZone": "Pacific/Chatham", "notifications": {"as": NAME}});
    canary.client.patch("/api/auth/me", &profile).await.expect(StatusCode::OK);
    let token = json!({"name": format!("laptop of {NAME}"), "role": "viewer"});
    let token =
        canary.client.post("/api/auth/tokens", &token).await.expect(StatusCode::CREATED)["data"].take();
    let path = format!("/api/auth/tokens/{}", token["id"].as_str().unwrap());
    canary.client.delete(&path).await.expect(StatusCode::OK);
    let role = json!({"role": "engineer"});
    canary.client.patch(&format!("/api/auth/users/{}", bob.id), &role).await.expect(StatusCode::OK);
    delete_me(&canary, WRONG).await.expect(StatusCode::BAD_REQUEST);
    let settings = Map::from_iter([("greeting".to_owned(), json!(NAME))]);
    let now = app.state.platform.clock().now();
    user_settings::store(&app.state.database, canary.id, &settings, now).await.unwrap();
    write_mail(&app, Some(canary.id), "old-canary@example.com").await;
    write_mail(&app, None, &address).await;
    write_mail(&app, Some(bob.id), &bob.email).await;

    let key = account(&Email::parse(&address).unwrap());
    let traces = [NAME, &address, IP, "CanaryBrowser", "old-canary", "gsw", "Chatham", "acme", &key]
        .map(str::to_lowercase);
    let left = async || {
        let rows = rows(&app).await.into_iter().map(|row| row.to_string());
        let is_left = |row: &String| traces.iter().any(|trace| row.to_lowercase().contains(trace));
        rows.filter(is_left).collect::<Vec<_>>()
    };
    app.all_events_are_out().await;
    let before = left().await;
    for trace in &traces {
        assert!(before.iter().any(|row| row.to_lowercase().contains(trace)), "{trace} is stored before");
    }
    let answer = if by_admin { delete(&root, canary.id).await } else { delete_me(&canary, PASSWORD).await };
    answer.expect(StatusCode::OK);
    app.all_events_are_out().await;
    assert_eq!(left().await, [""; 0]);
    let all = Value::from(rows(&app).await).to_string();
    assert!(all.contains(&bob.email) && all.contains("127.0.0.1"), "the data of others stays");
    let audit = root.client.get(&format!("/api/auth/audit?limit=100&userId={}", canary.id)).await.data();
    assert_eq!(audit[0]["action"], "user_deleted");
    assert_eq!(audit[0]["actorId"], if by_admin { json!(root.id) } else { Value::Null });
    assert_eq!(audit[0]["ipAddress"], if by_admin { json!("127.0.0.1") } else { Value::Null });
    assert!(audit.as_array().unwrap().iter().any(|row| row["action"] == "user_registered"));
}

#[rstest]
#[actix_web::test]
async fn an_admin_who_deletes_their_own_account_leaves_no_address(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[BEHIND_PROXY]).await;
    let (root, mut second) = (app.admin("root").await, app.admin("second").await);
    second.client = app.at("203.0.113.77").with_token(&second.access);
    delete(&second, second.id).await.expect(StatusCode::OK);
    let audit = root.client.get(&format!("/api/auth/audit?limit=100&userId={}", second.id)).await.data();
    assert_eq!((&audit[0]["action"], &audit[0]["actorId"]), (&json!("user_deleted"), &json!(second.id)));
    assert!(audit.as_array().unwrap().iter().all(|row| row["ipAddress"].is_null()), "{audit}");
}

#[rstest]
#[actix_web::test]
async fn a_deleted_user_is_in_no_list_and_cannot_be_changed(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    delete(&root, alice.id).await.expect(StatusCode::OK);
    let path = format!("/api/auth/users/{}", alice.id);
    for answer in [
        root.client.get(&path).await,
        root.client.patch(&path, &json!({"isActive": true})).await,
        root.client.patch(&path, &json!({"email": alice.email, "name": "Alice"})).await,
        root.client.delete(&path).await,
        root.client.get(&format!("{path}/sessions")).await,
        root.client.delete(&format!("{path}/sessions")).await,
        root.client.delete(&format!("{path}/locks")).await,
    ] {
        answer.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    for query in ["", "?q=deleted", "?isActive=false", "?role=viewer", "?verified=false&q=Deleted%20user"] {
        let listed = root.client.get(&format!("/api/auth/users{query}")).await.data();
        let ids = listed.as_array().unwrap().iter().map(|user| user["id"].clone()).collect::<Vec<_>>();
        assert!(!ids.contains(&json!(alice.id)), "{query}: {listed}");
    }
    for query in [format!("?ids={}", alice.id), "?q=deleted".into(), String::new()] {
        let names = root.client.get(&format!("/api/auth/users/directory{query}")).await.data();
        assert!(!names.to_string().contains(&alice.id.to_string()), "{query}: {names}");
    }
    // The row's address is no way in, and no address of a new user.
    let address = format!("deleted-{}@deleted.invalid", alice.id);
    app.try_log_in(&address, PASSWORD).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    // Else nobody could delete the account.
    let body = json!({"name": "Mallory", "email": address, "password": PASSWORD});
    app.client.post("/api/auth/signup", &body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn the_address_of_a_deleted_user_is_free_for_a_new_one(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=3"]).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    for _ in 0..3 {
        app.try_log_in(&alice.email, WRONG).await.expect(StatusCode::UNAUTHORIZED);
    }
    delete_me(&alice, PASSWORD).await.expect(StatusCode::OK);
    let again = app.sign_up("alice").await;
    assert_ne!(again.id, alice.id);
    assert!(again.is_in().await && !alice.is_in().await);
    app.try_refresh(&alice.refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    app.log_in("alice").await;
    let audit = root.client.get(&format!("/api/auth/audit?userId={}", again.id)).await.data();
    assert_eq!(audit.as_array().unwrap().len(), 3, "nothing of the deleted user: {audit}");
}
