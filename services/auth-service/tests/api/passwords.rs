use auth_service::audit::entity as audit_log;
use auth_service::login::failure as login_failure;
use auth_service::password::build_blocklist;
use auth_service::user::entity as user;
use futures_util::future::join_all;
use rstest::rstest;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait};
use serde_json::json;
use testing::{Answer, Backend, StatusCode};

use crate::app::{App, BEHIND_PROXY, PASSWORD, User, WRONG, email};

/// Created by Node's bcrypt 6.0.0: `hashSync('old stack secret', 10)`.
const NODE_HASH: &str = "$2b$10$6cQOpIPSOQZKAuszRPkS0.VvpFwNMjkvJq41/JBw.mVVuJyCF6Vo.";

async fn stored(app: &App, user: &User) -> String {
    user::by_id(&app.state.database, user.id).await.unwrap().unwrap().password
}

async fn store(app: &App, user: &User, password: &str) {
    let row = user::by_id(&app.state.database, user.id).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.password = Set(password.into());
    row.update(&app.state.database).await.unwrap();
}

#[rstest]
#[actix_web::test]
async fn a_row_of_the_old_stack_logs_in_and_is_upgraded_s36(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    store(&app, &alice, NODE_HASH).await;
    let wrong = app.try_log_in(&alice.email, "old stack Secret").await;
    wrong.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert_eq!(stored(&app, &alice).await, NODE_HASH);
    for _ in 0..2 {
        app.try_log_in(&alice.email, "old stack secret").await.expect(StatusCode::OK);
        assert!(stored(&app, &alice).await.starts_with("sha384:$2b$04$"));
    }
    assert!(alice.is_in().await, "an upgrade ends no session");
}

#[rstest]
#[actix_web::test]
async fn every_character_counts_s31_to_s34(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let long = "a".repeat(100);
    let cases = [
        ("long", format!("{long}1"), format!("{long}2")),
        ("emoji", "🦀".repeat(64), format!("{}🦞", "🦀".repeat(63))),
        ("nul", "password\0p".into(), "password".into()),
        ("repeat", "password".into(), "password\0password".into()),
    ];
    for (name, password, other) in cases {
        let body = json!({"name": name, "email": email(name), "password": password});
        app.client.post("/api/auth/signup", &body).await.expect(StatusCode::CREATED);
        app.try_log_in(&email(name), &password).await.expect(StatusCode::OK);
        app.try_log_in(&email(name), &other).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    let body = json!({"name": "é", "email": email("cafe"), "password": "caf\u{e9} au lait"});
    app.client.post("/api/auth/signup", &body).await.expect(StatusCode::CREATED);
    app.try_log_in(&email("cafe"), "cafe\u{301} au lait").await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn a_strong_policy_refuses_easy_guesses_s35(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--password-policy=strong"]).await;
    let sign_up = async |password: &str| {
        let body =
            json!({"name": "Marguerite Quaxtrobbel", "email": email("marguerite"), "password": password});
        app.client.post("/api/auth/signup", &body).await
    };
    for weak in ["password1", "marguerite", "quaxtrobbel", "driftsentry"] {
        let error = sign_up(weak).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "password");
    }
    sign_up("turnip-lattice-9-orbit").await.expect(StatusCode::CREATED);
}

#[actix_web::test]
async fn breached_passwords_are_refused_s35() {
    let folder = tempfile::tempdir().unwrap();
    let (dump, list) = (folder.path().join("dump.txt"), folder.path().join("passwords.filter"));
    std::fs::write(&dump, "turnip-lattice-9-orbit\ncafe\u{301}-lattice-9-orbit\n").unwrap();
    build_blocklist(&dump, &list, |_| ()).unwrap();
    let list = format!("--password-blocklist={}", list.display());
    let app = App::with(Backend::Memory, &["--password-policy=strong", &list]).await;
    let sign_up = async |password: &str| {
        let body = json!({"name": "Marguerite", "email": email("marguerite"), "password": password});
        app.client.post("/api/auth/signup", &body).await
    };
    // The last two are common, although they look random.
    for breached in [
        "turnip-lattice-9-orbit",
        "caf\u{e9}-lattice-9-orbit",
        "cafe\u{301}-lattice-9-orbit",
        "fqrg7cs493",
        "FQRG7cs493",
    ] {
        let error = sign_up(breached).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let detail = &error["details"][0];
        assert_eq!(detail["field"], "password", "{error}");
        assert_eq!(detail["message"], "is on a list of breached passwords; choose another one", "{error}");
    }
    sign_up("turnip-lattice-8-orbit").await.expect(StatusCode::CREATED);
}

/// Returns the parts of a response that an attacker could compare: all except its time and id, and the
/// length, which depends on them. `Retry-After` is left out because it counts down from the caller's own
/// failures.
fn visible(answer: &Answer) -> (StatusCode, serde_json::Value, Vec<(String, String)>) {
    let mut body = answer.json();
    body["error"]["timestamp"].take();
    body["error"]["requestId"].take();
    let headers = answer.headers.iter().filter(|(name, _)| {
        !["date", "x-request-id", "content-length", "retry-after"].contains(&name.as_str())
    });
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    (answer.status, body, headers)
}

/// Creates accounts of every kind. Returns their email addresses, each with a password that fails.
async fn failing_accounts(app: &App) -> [(String, &'static str); 4] {
    let root = app.admin("root").await;
    let disabled = app.sign_up("disabled").await;
    app.sign_up("alice").await;
    let old = app.sign_up("old").await;
    store(app, &old, &bcrypt::hash("another password", 4).unwrap()).await;
    let patch = json!({"isActive": false});
    root.client.patch(&format!("/api/auth/users/{}", disabled.id), &patch).await.expect(StatusCode::OK);
    [
        (email("nobody"), PASSWORD),
        (email("alice"), WRONG),
        (email("disabled"), PASSWORD),
        (email("old"), WRONG),
    ]
}

/// Logs in to each account until it is locked. Checks that all responses are the same at each step, and so is
/// the work: comparisons of passwords, which take nearly all of the time, and written rows.
async fn assert_alike(app: &App, accounts: &[(String, &str)], statuses: &[u16]) {
    let work = async || {
        let rows = audit_log::Entity::find().count(&app.state.database).await.unwrap();
        let failures = login_failure::Entity::find().all(&app.state.database).await.unwrap();
        let failures: i64 = failures.iter().map(|row| row.failures).sum();
        (app.state.metrics.password_hash_seconds.get_sample_count(), rows, failures)
    };
    for status in statuses {
        let mut seen = Vec::new();
        for (email, password) in accounts {
            let before = work().await;
            let (status, body, headers) = visible(&app.try_log_in(email, password).await);
            let after = work().await;
            let done = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
            seen.push((status, body, headers, done));
        }
        assert_eq!(seen[0].0.as_u16(), *status);
        assert!(seen.iter().all(|each| *each == seen[0]), "{seen:#?}");
    }
}

#[rstest]
#[actix_web::test]
async fn failed_logins_get_the_same_response_and_work_for_every_account_s40_s41(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=3"]).await;
    let accounts = failing_accounts(&app).await;
    assert_alike(&app, &accounts, &[401, 401, 401, 429, 429]).await;
    for malformed in ["", "short", &"a".repeat(256)] {
        let known = visible(&app.try_log_in(&email("alice"), malformed).await);
        assert_eq!(known.0, StatusCode::BAD_REQUEST);
        assert_eq!(known, visible(&app.try_log_in(&email("nobody"), malformed).await));
    }
}

#[rstest]
#[actix_web::test]
async fn a_lock_everywhere_looks_the_same_for_familiar_and_unknown_accounts_s40_s41(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account-per-day=2", BEHIND_PROXY]).await;
    // Signed up from this network, which is therefore familiar.
    let accounts = failing_accounts(&app).await;
    for (email, _) in &accounts {
        for ip in ["10.0.0.1", "10.1.0.1"] {
            app.try_log_in_at(ip, email, WRONG).await.expect(StatusCode::UNAUTHORIZED);
        }
    }
    assert_alike(&app, &accounts, &[429]).await;
}

#[rstest]
#[actix_web::test]
async fn a_network_over_its_limit_sees_the_same_for_familiar_and_unknown_accounts_s40_s41(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-ip=4"]).await;
    let accounts = failing_accounts(&app).await;
    assert_alike(&app, &accounts, &[401, 429, 429]).await;
}

#[rstest]
#[actix_web::test]
async fn a_flood_of_logins_is_shed_and_the_rest_stays_responsive_s37(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let limits = ["--bcrypt-cost=10", "--password-queue=4", "--logins-per-account=1000"];
    let app = App::with(backend, &limits).await;
    let alice = app.sign_up("alice").await;
    let flood = join_all((0..200).map(|_| app.try_log_in(&alice.email, PASSWORD)));
    let calls = async {
        let mut refresh = alice.refresh.clone();
        for _ in 0..5 {
            alice.client.get("/api/auth/config").await.expect(StatusCode::OK);
            app.client.get("/health").await.expect(StatusCode::OK);
            let answer = app.try_refresh(&refresh).await;
            if answer.status == StatusCode::OK {
                refresh = answer.data()["refreshToken"].as_str().unwrap().to_owned();
            }
        }
    };
    let (answers, ()) = futures_util::join!(flood, calls);
    let (mut let_in, mut shed) = (0, 0);
    for answer in answers {
        match answer.status {
            StatusCode::OK => let_in += 1,
            StatusCode::SERVICE_UNAVAILABLE => {
                answer.error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE");
                assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
                shed += 1;
            }
            status => panic!("{status}: {}", answer.text),
        }
    }
    assert!(let_in >= 4 && shed > 0, "{let_in} were let in, {shed} were shed");
}

#[rstest]
#[actix_web::test]
async fn rows_of_the_old_stack_need_only_their_own_columns_s36(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let now = app.state.platform.clock().now();
    let row = user::ActiveModel {
        id: Set(uuid::Uuid::new_v4()),
        name: Set("Old".into()),
        email: Set(email("old")),
        password: Set(NODE_HASH.into()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    row.insert(&app.state.database).await.unwrap();
    let old = app.user(&app.try_log_in(&email("old"), "old stack secret").await);
    assert_eq!(old.client.get("/api/auth/me").await.data()["role"], "viewer");
    let found = root.client.get("/api/auth/users?q=OLD@").await.data();
    assert_eq!(found[0]["id"], json!(old.id));
}

#[rstest]
#[actix_web::test]
async fn a_role_of_the_old_stack_permits_the_least_and_fails_no_list(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let old = app.sign_up("old").await;
    let copied = r#"UPDATE users SET role = 'STARTER' WHERE email LIKE 'old%'"#;
    app.state.database.execute_unprepared(copied).await.unwrap();
    let found = root.client.get("/api/auth/users").await.data();
    let row = found.as_array().unwrap().iter().find(|user| user["id"] == json!(old.id)).unwrap();
    assert_eq!(row["role"], "viewer");
    assert_eq!(app.log_in("old").await.client.get("/api/auth/me").await.data()["role"], "viewer");
}
