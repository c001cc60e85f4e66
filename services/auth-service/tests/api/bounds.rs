use std::io::Write;
use std::sync::{Mutex, PoisonError};

use auth_service::entity::{audit_log, service_token, session, user};
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testing::{Backend, Method, StatusCode};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::{App, PASSWORD, email};

#[rstest]
#[actix_web::test]
async fn s53_s54_malformed_input_is_named_and_never_a_500(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let good = json!({"name": "Alice", "email": email("alice"), "password": PASSWORD});
    let long = |count: usize| "x".repeat(count);
    for (field, value) in [
        ("name", json!("")),
        ("name", json!(long(101))),
        ("name", json!("a\0b")),
        ("name", json!(null)),
        ("email", json!("nobody")),
        ("email", json!(format!("{}@example.com", long(250)))),
        ("email", json!("a\0@example.com")),
        ("email", json!(["a@example.com"])),
        ("password", json!("1234567")),
        ("password", json!(long(256))),
        ("password", json!(12_345_678)),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = app.client.post("/api/auth/signup", &body).await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field, "{body}");
    }
    for path in ["/api/auth/signup", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout"] {
        for body in ["{", "[]", "\"x\"", "{\"a\":1}", "\u{0}", "{\"email\":\"\\ud800\"}"] {
            let request = app.client.request(Method::POST, path).header("content-type", "application/json");
            let answer = app.client.send(request.body(body)).await;
            answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
        let request = app.client.request(Method::POST, path).header("content-type", "application/json");
        let large = json!({"refreshToken": long(20_000)}).to_string();
        app.client.send(request.body(large)).await.error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
        let request = app.client.request(Method::POST, path).header("content-type", "text/plain");
        let answer = app.client.send(request.body(good.to_string())).await;
        answer.error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    }
    for query in [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=99999999999999999999",
        "limit=x",
        "cursor=x",
        "cursor=e30",
        "q=",
        "q=%00",
        "sort=email",
    ] {
        let answer = root.client.get(&format!("/api/auth/users?{query}")).await;
        answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    for query in ["userId=x", "action=dance", "limit=0", "cursor=x"] {
        let answer = root.client.get(&format!("/api/auth/audit?{query}")).await;
        answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    for change in [
        json!({"role": "root"}),
        json!({"isActive": "no"}),
        json!({"accountId": "a/b"}),
        json!({"email": "x"}),
    ] {
        let answer = root.client.patch(&format!("/api/auth/users/{}", root.id), &change).await;
        answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let answer = root.client.delete("/api/auth/sessions/not-an-id").await;
    answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let agent = app.client.with_header("user-agent", &"é\u{1}".repeat(2_000).replace('\u{1}', " "));
    let answer = agent.post("/api/auth/signup", &good).await;
    let raw = app.user(&answer).client.get("/api/auth/session").await.data()["deviceInfo"]["raw"].clone();
    assert_eq!(raw.as_str().unwrap().chars().count(), 512);
}

#[rstest]
#[actix_web::test]
async fn s15_s19_answers_are_never_kept_nor_sniffed(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    for answer in [
        app.try_refresh(&alice.refresh).await,
        app.try_log_in(&alice.email, PASSWORD).await,
        alice.client.get("/api/auth/sessions").await,
        app.try_refresh("x").await,
    ] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    }
}

/// Everything that any test of this process has logged.
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
    let ours = ["auth_service", "web", "identity", "outbox", "backplane", "actix_web", "actix_http"];
    let targets = ours.map(|target| (target, tracing::Level::DEBUG));
    let _ = tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Log))
        .with(tracing_subscriber::filter::Targets::new().with_targets(targets))
        .try_init();
}

#[rstest]
#[actix_web::test]
async fn s08_s13_s52_nothing_that_is_kept_or_logged_authenticates(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    record_logs();
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let canary = "canary-password-4711";
    let body = json!({"name": "Canary", "email": "canary@example.com", "password": canary});
    let alice = app.user(&app.client.post("/api/auth/signup", &body).await);
    let machine = json!({"name": "scanner", "role": "engineer"});
    let machine = root.client.post("/api/auth/tokens", &machine).await.data()["token"].clone();
    let newest = app.refresh(&alice.refresh).await;
    app.try_log_in("canary@example.com", "canary-password-wrong").await.expect(StatusCode::UNAUTHORIZED);
    app.client.get(&format!("/api/auth/me?token={}", alice.access)).await.expect(StatusCode::UNAUTHORIZED);
    let cookie = format!("refresh_token={newest}");
    app.client
        .with_header("cookie", &cookie)
        .post("/api/auth/refresh", &json!({}))
        .await
        .expect(StatusCode::FORBIDDEN);
    app.all_events_are_out().await;

    let db = &*app.state.db;
    let mut kept = vec![Value::from(app.all_published())];
    kept.extend(user::Entity::find().into_json().all(db).await.unwrap());
    kept.extend(session::Entity::find().into_json().all(db).await.unwrap());
    kept.extend(audit_log::Entity::find().into_json().all(db).await.unwrap());
    kept.extend(service_token::Entity::find().into_json().all(db).await.unwrap());
    kept.extend(app.state.platform.backplane.marks().await.unwrap().into_iter().map(Value::from));
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    let metrics = app.client.get("/metrics").await.text;
    let stored = Value::from(kept.clone()).to_string();

    let machine = machine.as_str().unwrap();
    for secret in [canary, "canary-password-wrong", &alice.access, &alice.refresh, &newest, machine] {
        assert!(!stored.contains(secret) && !log.contains(secret) && !metrics.contains(secret));
    }
    assert!(!log.contains("canary@example.com") && !metrics.contains("canary@"));
    assert!(log.contains("answered"), "the log was recorded");

    let mut strings = Vec::new();
    kept.iter().for_each(|value| collect_strings(value, &mut strings));
    strings.sort();
    strings.dedup();
    for kept in strings.iter().filter(|text| text.len() >= 16 && text.is_ascii()) {
        app.try_refresh(kept).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        let bearer = app.client.with_token(kept).get("/api/auth/me").await;
        bearer.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    for kept in strings.iter().filter(|text| text.starts_with("sha384:")) {
        app.try_log_in("canary@example.com", kept).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
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
