use rstest::rstest;
use serde_json::json;
use testing::{Backend, Client, Method, StatusCode};

use crate::app::{App, PASSWORD, email};

const SECRETS: &[&str] = &[
    "--environment=production",
    "--jwt-access-secret=Zx8vQ2mN5pR7tW1yB4cD6fG9hJ3kL0sA",
    "--jwt-refresh-secret=aS0lK3jH9gF6dC4bY1wT7rP5nM2qV8xZ",
    "--bcrypt-cost=10",
    "--signup=open",
];

/// A page of our own origin: its browser keeps cookies and sends the origin.
fn page(app: &App) -> Client {
    app.client
        .with_cookies()
        .with_header("origin", "https://app.example.com")
        .with_header("x-token-delivery", "cookie")
}

fn login() -> serde_json::Value {
    json!({"email": email("alice"), "password": PASSWORD})
}

#[rstest]
#[actix_web::test]
async fn a_page_can_hide_its_refresh_token_from_scripts_s16(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    app.sign_up("alice").await;
    let page = page(&app);
    let answer = page.post("/api/auth/login", &login()).await;
    assert!(answer.data().get("refreshToken").is_none());
    let cookie = answer.header("set-cookie").to_owned();
    for part in ["refresh_token=", "HttpOnly", "SameSite=Strict", "Path=/api", "Max-Age=604"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "development is plain HTTP");
    assert_eq!(answer.header("cache-control"), "no-store");

    let refreshed = page.post("/api/auth/refresh", &json!({})).await;
    assert!(refreshed.data().get("refreshToken").is_none());
    assert_ne!(refreshed.header("set-cookie"), cookie);
    let out = page.post("/api/auth/logout", &json!({})).await;
    out.expect(StatusCode::OK);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    page.post("/api/auth/refresh", &json!({})).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn outside_development_the_cookie_is_secure_s16(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, SECRETS).await;
    let body = json!({"name": "Alice", "email": email("alice"), "password": PASSWORD});
    let answer = app.client.post("/api/auth/signup", &body).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Secure-refresh_token=") && cookie.contains("; Secure"), "{cookie}");
}

#[rstest]
#[actix_web::test]
async fn a_cookie_is_accepted_only_from_an_allowed_origin_with_json_s17(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let cookie = format!("refresh_token={}", alice.refresh);
    let call = async |path: &str, headers: &[(&str, &str)], content_type: &str| {
        let mut request = app.client.request(Method::POST, path).header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.client.send(request.header("content-type", content_type).body("{}")).await
    };
    let allowed = ("origin", "https://app.example.com");
    for path in ["/api/auth/refresh", "/api/auth/logout"] {
        for headers in [
            &[][..],
            &[("origin", "https://evil.test")],
            &[("origin", "null")],
            &[("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none")],
        ] {
            let refused = call(path, headers, "application/json").await;
            refused.error(StatusCode::FORBIDDEN, "FORBIDDEN");
        }
        for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
            let refused = call(path, &[allowed], content_type).await;
            refused.error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
        }
    }
    let bare = app.client.request(Method::POST, "/api/auth/refresh").header("cookie", &cookie);
    let bare = app.client.send(bare.header(allowed.0, allowed.1)).await;
    bare.error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    let send = async |method: Method, path: &str| {
        let request = app.client.request(method, path).header("cookie", &cookie);
        app.client.send(request.header(allowed.0, allowed.1)).await
    };
    for path in ["/api/auth/refresh", "/api/auth/logout"] {
        send(Method::GET, path).await.error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
    }
    // Only these two operations accept the cookie.
    for (method, path) in [(Method::DELETE, "/api/auth/sessions/all"), (Method::GET, "/api/auth/me")] {
        send(method, path).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    assert!(alice.is_in().await);
    assert_eq!(app.published("auth:token.refreshed").len(), 0);
    call("/api/auth/refresh", &[allowed], "application/json").await.expect(StatusCode::OK);
    let same_origin = [("sec-fetch-site", "same-origin")];
    call("/api/auth/logout", &same_origin, "application/json; charset=utf-8").await.expect(StatusCode::OK);
    assert!(!alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn a_cookie_beside_an_access_token_is_ignored(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, other) = (app.sign_up("alice").await, app.log_in("alice").await);
    let cookie = format!("refresh_token={}", other.refresh);
    let request = alice.client.request(Method::POST, "/api/auth/logout").header("cookie", cookie);
    alice.client.send(request).await.expect(StatusCode::OK);
    assert!(!alice.is_in().await && other.is_in().await);
}

#[rstest]
#[case("both", None, true, true)]
#[case("both", Some("body"), true, false)]
#[case("both", Some("cookie"), false, true)]
#[case("body", Some("cookie"), true, false)]
#[case("cookie", Some("body"), false, true)]
#[actix_web::test]
async fn the_settings_limit_the_delivery_that_a_request_may_ask_for(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[case] setting: &str,
    #[case] asked: Option<&str>,
    #[case] in_body: bool,
    #[case] in_cookie: bool,
) {
    let app = App::with(backend, &[&format!("--refresh-token-delivery={setting}")]).await;
    let client = asked.map_or(app.client.clone(), |asked| app.client.with_header("x-token-delivery", asked));
    let body = json!({"name": "Alice", "email": email("alice"), "password": PASSWORD});
    let answer = client.post("/api/auth/signup", &body).await;
    assert_eq!(answer.data().get("refreshToken").is_some(), in_body);
    assert_eq!(answer.headers.contains_key("set-cookie"), in_cookie);
    let unknown =
        app.client.with_header("x-token-delivery", "pigeon").post("/api/auth/login", &login()).await;
    unknown.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

/// A page of our own origin that sends these cookies.
fn with_cookies(app: &App, tokens: &[&str]) -> Client {
    let cookies = tokens.iter().map(|token| format!("refresh_token={token}")).collect::<Vec<_>>().join("; ");
    app.client.with_header("origin", "https://app.example.com").with_header("cookie", &cookies)
}

#[rstest]
#[actix_web::test]
async fn the_valid_one_of_several_cookies_is_used_s81(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, ended) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let elsewhere = app.log_in("alice").await;
    // These sessions were refreshed more often than the one that is used below.
    let mut ended_token = ended.refresh.clone();
    let mut stale_elsewhere = elsewhere.refresh.clone();
    for _ in 0..20 {
        ended_token = app.refresh(&ended_token).await;
        stale_elsewhere = app.refresh(&stale_elsewhere).await;
    }
    ended.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    // This token was used long ago. On its own, it would end the session.
    let current = app.refresh(&app.refresh(&alice.refresh).await).await;
    app.advance(chrono::TimeDelta::minutes(5));
    let stale = alice.refresh.as_str();
    let current_elsewhere = app.refresh(&app.refresh(&stale_elsewhere).await).await;
    app.advance(chrono::TimeDelta::minutes(5));
    let mut newest = current;
    for others in [
        vec!["garbage"],
        vec![""],
        vec![ended_token.as_str()],
        vec![stale],
        vec![stale_elsewhere.as_str(), "x", stale],
    ] {
        for is_first in [true, false] {
            let mut tokens = others.clone();
            tokens.insert(if is_first { 0 } else { others.len() }, newest.as_str());
            let refreshed = with_cookies(&app, &tokens).post("/api/auth/refresh", &json!({})).await;
            let refreshed = refreshed.data()["refreshToken"].as_str().unwrap().to_owned();
            assert_eq!(app.state.refresh_tokens.read(&refreshed).unwrap().session_id, alice.session);
            newest = refreshed;
        }
    }
    // Both tokens would be accepted. The newer one is used.
    let next = app.refresh(&newest).await;
    let both = with_cookies(&app, &[&newest, &next]).post("/api/auth/refresh", &json!({})).await.data();
    let counter = |token: &str| app.state.refresh_tokens.read(token).unwrap().counter;
    assert_eq!(counter(both["refreshToken"].as_str().unwrap()), counter(&next) + 1);
    assert!(alice.is_in().await && elsewhere.is_in().await);
    app.refresh(&current_elsewhere).await;

    // Without a valid token beside it, a used token still ends its session.
    let replayed = with_cookies(&app, &["garbage", stale]).post("/api/auth/refresh", &json!({})).await;
    replayed.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert_eq!(app.ended(alice.session).await, "token_reuse");
    let nothing = with_cookies(&app, &["garbage", "x"]).post("/api/auth/refresh", &json!({})).await;
    nothing.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn logging_out_ends_the_sessions_of_all_cookies_s81(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, again) = (app.sign_up("alice").await, app.log_in("alice").await);
    let page = with_cookies(&app, &["garbage", &alice.refresh, &again.refresh]);
    page.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
    assert!(!alice.is_in().await && !again.is_in().await);
    let nothing = with_cookies(&app, &["garbage"]).post("/api/auth/logout", &json!({})).await;
    nothing.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}
