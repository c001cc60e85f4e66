use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, PASSWORD, email};

#[rstest]
#[actix_web::test]
async fn signing_up_logs_in_as_a_viewer(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let body = json!({"name": "Alice", "email": "Alice@Example.com", "password": PASSWORD});
    let answer = app.client.post("/api/auth/signup", &body).await;
    let data = answer.expect(StatusCode::CREATED)["data"].take();
    assert_eq!(data["user"]["role"], "viewer");
    assert_eq!(data["user"]["email"], "alice@example.com");
    assert_eq!(data["user"]["name"], "Alice");
    assert_eq!(data["expiresIn"], 900);
    let alice = app.user(&answer);
    let me = alice.client.get("/api/auth/me").await.data();
    assert_eq!(me["id"], json!(alice.id));
    assert!(me["lastLoginAt"].is_string());
    assert!(me.get("password").is_none());

    app.event("auth:user.registered", |event| event == &json!({"userId": alice.id, "email": alice.email}))
        .await;
    app.event("auth:session.created", |event| event["sessionId"] == json!(alice.session)).await;
    let taken = app.client.post("/api/auth/signup", &body).await;
    taken.error(StatusCode::CONFLICT, "CONFLICT");
}

#[rstest]
#[actix_web::test]
async fn the_whole_life_of_a_session(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    app.sign_up("alice").await;
    let alice = app.log_in("alice").await;
    app.event("auth:user.login", |event| event["sessionId"] == json!(alice.session)).await;
    assert!(alice.is_in().await);

    let answer = app.try_refresh(&alice.refresh).await.data();
    assert_ne!(answer["refreshToken"], json!(alice.refresh));
    assert_ne!(answer["accessToken"], json!(alice.access));
    app.event("auth:token.refreshed", |event| event["sessionId"] == json!(alice.session)).await;
    let newest = answer["refreshToken"].as_str().unwrap().to_owned();
    let renewed = app.client.with_token(answer["accessToken"].as_str().unwrap());
    renewed.get("/api/auth/me").await.expect(StatusCode::OK);

    let answer = alice.client.post("/api/auth/logout", &json!({})).await;
    assert_eq!(answer.expect(StatusCode::OK), json!({"success": true, "data": null}));
    assert!(!alice.is_in().await, "s25: the access token fails at once");
    app.try_refresh(&newest).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    app.event("auth:user.logout", |event| event["sessionId"] == json!(alice.session)).await;
    assert_eq!(app.ended(alice.session).await, "logout");
    alice.client.post("/api/auth/logout", &json!({})).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn a_refused_caller_gets_the_reason_s14(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let client = app.client.with_header("authorization", &format!("{scheme} {}", alice.access));
        client.get("/api/auth/me").await.expect(StatusCode::OK);
    }
    for authorization in ["Bearer x", "Bearer", "Basic YTpi", "x"] {
        let refused = app.client.with_header("authorization", authorization).get("/api/auth/me").await;
        refused.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        assert_eq!(refused.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    }
    alice.client.get("/api/auth/audit").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[rstest]
#[actix_web::test]
async fn logging_out_accepts_either_token(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    app.client.post("/api/auth/logout", &json!({})).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    for forged in ["x", "", &alice.access] {
        let body = json!({"refreshToken": forged});
        app.client.post("/api/auth/logout", &body).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    }
    assert!(alice.is_in().await);
    let body = json!({"refreshToken": alice.refresh});
    for _ in 0..2 {
        app.client.post("/api/auth/logout", &body).await.expect(StatusCode::OK);
    }
    assert!(!alice.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn the_service_responds_under_each_of_its_prefixes(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    for (nth, prefix) in ["", "/api/auth", "/api/v1/auth"].into_iter().enumerate() {
        let name = format!("alice{nth}");
        let body = json!({"name": name, "email": email(&name), "password": PASSWORD});
        app.client.post(&format!("{prefix}/signup"), &body).await.expect(StatusCode::CREATED);
        let config = app.client.get(&format!("{prefix}/config")).await.data();
        assert_eq!(
            config,
            json!({
                "sessionTimeoutMinutes": 60, "sessionLifetimeHours": 168, "maxSessionsPerUser": 5,
                "accessTokenSeconds": 900, "refreshTokenSeconds": 604_800, "activityIntervalSeconds": 60,
                "signup": "open", "signupDomains": [], "verifyEmail": false, "loginMethods": ["password"],
                "mail": true, "devMail": true, "proofOfWork": false
            })
        );
        let missing = app.client.get(&format!("{prefix}/nothing")).await;
        missing.error(StatusCode::NOT_FOUND, "NOT_FOUND");
        let wrong_method = app.client.get(&format!("{prefix}/login")).await;
        wrong_method.error(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
    }
    assert!(app.client.get("/health").await.status.is_success());
    assert!(app.client.get("/ready").await.status.is_success());
}

#[rstest]
#[actix_web::test]
async fn demo_users_are_created_if_configured(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &["--demo-users=true"]).await;
    for (email, password, role) in auth_service::user::demo::DEMO_USERS {
        let answer = app.try_log_in(email, password).await;
        assert_eq!(answer.data()["user"]["role"], json!(role));
    }
}
