use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use rstest::rstest;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, JsonValue, Statement};
use serde_json::{Value, json};
use testing::{Backend, StatusCode, wait_for};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::{App, PASSWORD, User};

const CANARY: &str = "canary-password-4711";
/// The replays cause many failures. No limit may refuse them.
const NO_LIMITS: [&str; 6] = [
    "--logins-per-account=100000",
    "--logins-per-ip=100000",
    "--login-failures-per-account=100000",
    "--login-failures-per-account-per-day=100000",
    "--login-failures-per-ip=100000",
    "--login-failures-total=100000",
];

/// The log of all tests in this process.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn record_logs() {
    let ours =
        ["auth_service", "http", "platform", "identity", "database", "backplane", "actix_web", "actix_http"];
    // Not `dev_mail`, which prints whole mails on purpose.
    let targets = ours.map(|target| (target, tracing::Level::DEBUG));
    let _ = tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Log))
        .with(tracing_subscriber::filter::Targets::new().with_targets(targets))
        .try_init();
}

/// Returns every row of every table.
pub(crate) async fn rows(app: &App) -> Vec<Value> {
    let db = &app.state.database;
    let backend = db.get_database_backend();
    let tables = match backend {
        DbBackend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        _ => "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()",
    };
    let tables = db.query_all_raw(Statement::from_string(backend, tables)).await.unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let name: String = table.try_get("", "name").unwrap();
        let all = Statement::from_string(backend, format!(r#"SELECT * FROM "{name}""#));
        rows.extend(JsonValue::find_by_statement(all).all(db).await.unwrap());
    }
    rows
}

/// Returns all texts that the service stores outside its process.
async fn stored(app: &App, backend: Backend) -> Vec<String> {
    let mut stored = Vec::new();
    rows(app).await.iter().for_each(|row| collect_strings(row, &mut stored));
    let kept = match backend {
        // There is no Redis. It would contain the published events and the marks.
        Backend::Memory => {
            let published = app.all_published().into_iter().map(|event| event.to_string());
            published.chain(app.state.platform.backplane().marks.live().await.unwrap()).collect()
        }
        Backend::Real => app.stores.redis().dump().await,
    };
    kept.into_iter().for_each(|text| collect_strings(&text.into(), &mut stored));
    stored
}

/// Returns the parts of the texts that may be a credential: each text as a whole, and each run of characters
/// that tokens consist of. Parts shorter than a password are left out.
fn candidates(texts: &[String]) -> BTreeSet<&str> {
    let separates = |c: char| !(c.is_ascii_alphanumeric() || "-._~+/=$".contains(c));
    let parts = texts.iter().flat_map(|text| text.split(separates));
    let texts =
        texts.iter().map(String::as_str).filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    texts.chain(parts).filter(|text| (8..4_096).contains(&text.len())).collect()
}

/// Sends `text` as every kind of credential.
async fn replay(app: &App, user: &User, text: &str) {
    // As an access token or a service token. A valid one without permission would get 403.
    let bearer = app.client.with_token(text).get("/api/auth/me").await;
    bearer.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    // The check of the gateway for the token of a socket.
    assert!(app.state.platform.tokens().verifier.verify(text).is_err(), "{text}");
    app.try_refresh(text).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    if !text.contains([';', ',', '"', '\\']) {
        let page = app.client.with_header("origin", "https://app.example.com");
        let page = page.with_header("cookie", &format!("refresh_token={text}"));
        let refreshed = page.post("/api/auth/refresh", &json!({})).await;
        refreshed.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    if text.len() < 256 {
        app.try_log_in(&user.email, text).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
}

#[rstest]
#[actix_web::test]
async fn nothing_stored_or_logged_authenticates_s08_s13_s52(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    record_logs();
    // With this interval, the uses of service tokens stay in Redis.
    let app = App::with(backend, &[&NO_LIMITS[..], &["--session-sweep-interval=1h"]].concat()).await;
    let root = app.admin("root").await;
    let body = json!({"name": "Canary", "email": "canary@example.com", "password": CANARY});
    let alice = app.user(&app.client.post("/api/auth/signup", &body).await);
    let machine = json!({"name": "scanner", "role": "engineer"});
    let machine = root.client.post("/api/auth/tokens", &machine).await.data()["token"].clone();
    let machine = machine.as_str().unwrap();
    let scanner = app.client.with_token(machine);
    scanner.get("/api/auth/me").await.expect(StatusCode::FORBIDDEN);
    let newest = app.refresh(&alice.refresh).await;
    let ended = app.user(&app.try_log_in(&alice.email, CANARY).await);
    ended.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    app.try_log_in(&alice.email, "canary-password-wrong").await.expect(StatusCode::UNAUTHORIZED);
    app.client.get(&format!("/api/auth/me?token={}", alice.access)).await.expect(StatusCode::UNAUTHORIZED);
    let cookie = app.client.with_header("cookie", &format!("refresh_token={newest}"));
    cookie.post("/api/auth/refresh", &json!({})).await.expect(StatusCode::FORBIDDEN);
    app.client.get("/api/auth/%0d%0aforged-line").await.expect(StatusCode::NOT_FOUND);
    app.all_events_are_out().await;

    let known = ["canary@example.com", "sha384:", "auth:session.deleted", "session:"];
    let in_redis = ["{driftsentry}:count:auth:failures:", "{driftsentry}:value:auth:token-used:"];
    let known = if backend == Backend::Real { [&known[..], &in_redis].concat() } else { known.to_vec() };
    let stored = wait_for("everything is kept that is to be", async || {
        let stored = stored(&app, backend).await;
        known.iter().all(|known| stored.iter().any(|text| text.contains(known))).then_some(stored)
    })
    .await;
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    let metrics = app.client.get("/metrics").await.text;
    assert!(log.contains("answered"), "the log was recorded");
    assert!(log.contains("forged-line") && !log.lines().any(|line| line.starts_with("forged-line")));
    for secret in [CANARY, "canary-password-wrong", &alice.access, &alice.refresh, &newest, machine] {
        assert!(!stored.iter().any(|text| text.contains(secret)), "{secret}");
        assert!(!log.contains(secret) && !metrics.contains(secret), "{secret}");
    }
    assert!(!log.contains("canary@example.com") && !metrics.contains("canary@"));
    assert!(!log.contains("?token="), "no link of a mail is logged");

    // The shortest token has 71 characters. The log contains the output of all tests in this process.
    let lines = [log, metrics].map(|text| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>()).concat();
    let logged = candidates(&lines).into_iter().filter(|text| text.len() >= 64).collect::<Vec<_>>();
    for text in candidates(&stored).into_iter().chain(logged) {
        replay(&app, &alice, text).await;
    }

    // The real credentials still work.
    assert!(alice.is_in().await);
    scanner.get("/api/auth/me").await.expect(StatusCode::FORBIDDEN);
    app.refresh(&newest).await;
    app.try_log_in(&alice.email, CANARY).await.expect(StatusCode::OK);
    app.try_log_in(&root.email, PASSWORD).await.expect(StatusCode::OK);
}

fn collect_strings(value: &Value, strings: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            strings.push(text.clone());
            if let Ok(nested @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                collect_strings(&nested, strings);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_strings(item, strings)),
        Value::Object(fields) => fields.values().for_each(|field| collect_strings(field, strings)),
        _ => {}
    }
}
