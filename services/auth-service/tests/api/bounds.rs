use rstest::rstest;
use serde_json::json;
use testing::{Backend, Method, StatusCode};

use crate::app::{App, PASSWORD, email};

#[rstest]
#[actix_web::test]
async fn malformed_input_is_named_and_never_a_500_s53_s54(
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
        // JSON strings with a NUL and with a line end.
        "cursor=Ilx1MDAwMCI",
        "cursor=IlxuIg",
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
async fn responses_are_neither_cached_nor_sniffed_s15_s19(
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

#[rstest]
#[actix_web::test]
async fn a_time_outside_the_plausible_range_is_refused_s67(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    for time in [
        "-4800-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "+10000-01-01T00:00:00Z",
        "+262142-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "now",
    ] {
        let body = json!({"name": "scanner", "role": "viewer", "expiresAt": time});
        let error = root.client.post("/api/auth/tokens", &body).await;
        let error = error.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "expiresAt", "{time}");
    }
}
