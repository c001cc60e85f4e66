//! The contract of the replaced stack, with `COMPAT_ROUTES=true`.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, Method, StatusCode};

use crate::app::{App, PASSWORD, email};

const SWITCH: &str = "--compat-routes=true";

async fn put(caller: &Client, body: &Value) -> Answer {
    caller.send(caller.request(Method::PUT, "/api/v1/users/me/settings").json(body)).await
}

async fn regenerate(caller: &Client) -> Answer {
    caller.post("/api/v1/users/me/api-key/regenerate", &json!({})).await
}

#[rstest]
#[actix_web::test]
async fn the_old_session_routes_ignore_unknown_fields_and_logging_out_never_fails(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[SWITCH]).await;
    let alice = app.sign_up("alice").await;
    for prefix in ["/api/auth", "/api/v1/auth", ""] {
        let body = json!({"email": email("alice"), "password": PASSWORD, "rememberMe": true});
        let login = app.client.post(&format!("{prefix}/login?from=page"), &body).await.data();
        let refresh = json!({"refreshToken": login["refreshToken"], "device": "page"});
        let refreshed = app.client.post(&format!("{prefix}/refresh"), &refresh).await.data();
        let log_out = json!({"refreshToken": refreshed["refreshToken"], "everywhere": false});
        let path = format!("{prefix}/logout");
        app.client.post(&path, &log_out).await.expect(StatusCode::OK);
        app.client
            .post(&path, &json!({"refreshToken": "nobody knows this one"}))
            .await
            .expect(StatusCode::OK);
        app.client.with_token("unknown").post(&path, &json!({})).await.expect(StatusCode::OK);
        let none = app.client.post(&path, &json!({})).await;
        let error = none.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"]["errors"][0]["field"], "refreshToken");
        let gone = app.client.post(&format!("{prefix}/refresh"), &log_out).await;
        assert!(gone.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR")["traceId"].is_string());
        assert_eq!(gone.header("x-correlation-id"), gone.header("x-request-id"));

        let current = app.client.with_header("x-api-contract", "current");
        current
            .post(&format!("{prefix}/login"), &body)
            .await
            .error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let unknown = current.post(&path, &json!({"refreshToken": "nobody knows this one"})).await;
        assert!(unknown.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR")["requestId"].is_string());
    }
    // A wrong token ends nobody's session.
    assert!(alice.is_in().await);
    let mistyped = app.client.post("/api/auth/login", &json!({"email": 5, "password": PASSWORD})).await;
    let error = mistyped.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert_eq!(error["details"]["errors"][0]["field"], "email");
}

#[rstest]
#[actix_web::test]
async fn an_old_page_reads_its_user_and_keeps_settings_of_its_own(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[SWITCH]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let me = alice.client.get("/api/v1/users/me?include=all").await.data();
    let shown = ["id", "email", "firstName", "role", "settings", "isActive"].map(|key| me[key].clone());
    let expected =
        [json!(alice.id), json!(email("alice")), json!("alice"), json!("viewer"), json!({}), json!(true)];
    assert_eq!(shown, expected);
    assert_eq!((&me["lastName"], &me["apiKeyCreatedAt"]), (&Value::Null, &Value::Null));

    let settings = json!({"theme": "dark", "nested": {"big": 1.5, "text": "ä\u{0}"}, "list": [1, 2]});
    assert_eq!(put(&alice.client, &settings).await.data()["settings"], settings);
    assert_eq!(
        put(&alice.client, &json!({"theme": "light"})).await.data()["settings"],
        json!({"theme": "light"})
    );
    assert_eq!(alice.client.get("/api/v1/users/me").await.data()["settings"], json!({"theme": "light"}));
    assert_eq!(bob.client.get("/api/v1/users/me").await.data()["settings"], json!({}));

    for body in [json!([1]), json!("text")] {
        put(&alice.client, &body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    let large = json!({"x": "y".repeat(16 * 1024)});
    put(&alice.client, &large).await.error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
    app.client.get("/api/v1/users/me").await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    put(&app.client, &settings).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn changes_of_settings_are_limited_for_each_user(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[SWITCH]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    for _ in 0..100 {
        put(&alice.client, &json!({})).await.expect(StatusCode::OK);
    }
    put(&alice.client, &json!({})).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    put(&bob.client, &json!({})).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn an_old_api_key_is_a_service_token_that_replaces_the_last_one_of_its_admin(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[SWITCH]).await;
    let (root, other) = (app.admin("root").await, app.admin("other").await);
    let viewer = app.sign_up("viewer").await;
    regenerate(&viewer.client).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    regenerate(&app.client).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");

    let named = json!({"name": "scanner", "role": "viewer"});
    root.client.post("/api/auth/tokens", &named).await.expect(StatusCode::CREATED);
    let first = regenerate(&root.client).await.data();
    let others = regenerate(&other.client).await.data();
    let second = regenerate(&root.client).await.data();
    let verifier = &app.state.platform.tokens().verifier;
    let verify = |key: &Value| verifier.verify(key["apiKey"].as_str().unwrap());
    assert_eq!(verify(&second).unwrap().role, contracts::Role::Engineer);
    assert!(verify(&first).is_err() && verify(&others).is_ok());
    let tokens = root.client.get("/api/auth/tokens").await.data();
    let names: Vec<&str> =
        tokens.as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["scanner", "API key", "API key"]);
    let me = root.client.get("/api/v1/users/me").await.data();
    assert_eq!(me["apiKeyCreatedAt"], second["createdAt"]);
    // A service token is no person.
    let machine = app.client.with_token(second["apiKey"].as_str().unwrap());
    machine.get("/api/v1/users/me").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    regenerate(&machine).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[rstest]
#[actix_web::test]
async fn an_old_page_deletes_its_account_and_no_other(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[SWITCH]).await;
    let root = app.admin("root").await;
    let (alice, elsewhere) = (app.sign_up("alice").await, app.log_in("alice").await);
    let bob = app.sign_up("bob").await;
    app.client.delete("/api/v1/users/me").await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert_eq!(alice.client.delete("/api/v1/users/me").await.data(), Value::Null);
    assert_eq!(app.ended(elsewhere.session).await, "account_disabled");
    assert!(!alice.is_in().await && !elsewhere.is_in().await && bob.is_in().await);
    app.try_log_in(&email("alice"), PASSWORD).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    // The account is disabled, so that an admin can restore it.
    let users = root.client.get("/api/auth/users?q=alice").await.data();
    assert_eq!((&users[0]["isActive"], &users[0]["id"]), (&json!(false), &json!(alice.id)));

    // Nobody could restore the last admin.
    let last = root.client.delete("/api/v1/users/me").await;
    assert!(last.error(StatusCode::CONFLICT, "CONFLICT")["traceId"].is_string());
    assert!(root.is_in().await);
}

#[rstest]
#[actix_web::test]
async fn without_the_switch_no_old_route_of_users_is_served(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    for (method, path) in [
        (Method::GET, "/api/v1/users/me"),
        (Method::DELETE, "/api/v1/users/me"),
        (Method::PUT, "/api/v1/users/me/settings"),
        (Method::POST, "/api/v1/users/me/api-key/regenerate"),
        (Method::GET, "/health/live"),
        (Method::GET, "/health/ready"),
        (Method::GET, "/health/detailed"),
    ] {
        let answer = root.client.send(root.client.request(method, path).json(&json!({}))).await;
        answer.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    }
    let body = json!({"email": email("root"), "password": PASSWORD, "rememberMe": true});
    app.client.post("/api/auth/login", &body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let unknown = app.client.post("/api/auth/logout", &json!({"refreshToken": "unknown"})).await;
    unknown.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert!(root.is_in().await);
}
