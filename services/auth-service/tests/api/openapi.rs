use std::collections::HashSet;

use boon::{Compiler, Schemas};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Method};
use uuid::Uuid;

use crate::app::{App, PASSWORD, User, email};

/// Checks a response against the document.
fn check(document: &Value, method: &str, path: &str, answer: &Answer) {
    let responses = &document["paths"][path][method]["responses"];
    let status = answer.status.as_str();
    let response = match responses[status]["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => &responses[status],
    };
    assert!(!response.is_null(), "{method} {path}: {}", answer.text);
    let schema = &response["content"]["application/json"]["schema"];
    let schema = json!({"allOf": [schema], "components": document["components"]});
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.add_resource("urn:response", schema).unwrap();
    let schema = compiler.compile("urn:response", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(&answer.json(), schema) {
        panic!("{method} {path} {status}: {error} in {}", answer.text);
    }
}

type Call = (Method, &'static str, Option<String>, Value);

/// The operations that begin or end with a mail. The first caller of each uses up the link.
async fn by_mail(app: &App, root: &User) -> Vec<Call> {
    let (mary, new) = (app.sign_up("mary").await, email("new.mary"));
    let change = json!({"newEmail": new, "currentPassword": PASSWORD});
    mary.client.post("/api/auth/email", &change).await.data();
    app.client
        .post("/api/auth/email/confirm", &json!({"token": app.mail(&new, "confirm-email").await.token}))
        .await
        .data();
    let undo = app.mail(&email("mary"), "undo-email").await.token;
    let vera = app.sign_up("vera").await;
    app.client.post("/api/auth/login/email", &json!({"email": vera.email})).await.data();
    app.forgot(&vera.email).await.data();
    vera.client
        .post("/api/auth/email", &json!({"newEmail": email("v"), "currentPassword": PASSWORD}))
        .await
        .data();
    let invite = json!({"email": email("olga"), "role": "viewer"});
    let invitation = root.client.post("/api/auth/invitations", &invite).await.data();
    let [id, user_id] = [invitation["id"].as_str().unwrap().to_owned(), vera.id.to_string()];
    let token = async |to: &str, page: &str| json!({"token": app.mail(to, page).await.token});
    let mut accept = token(&email("olga"), "invitation").await;
    let shown = accept.clone();
    accept["name"] = json!("Olga");
    accept["password"] = json!(PASSWORD);
    let mut reset = token(&vera.email, "reset-password").await;
    reset["newPassword"] = json!(PASSWORD);
    let verify = token(&vera.email, "verify-email").await;
    vec![
        (Method::POST, "/links/show", None, shown),
        (Method::POST, "/links/status", None, json!({"requestId": id})),
        (Method::GET, "/invitations", None, Value::Null),
        (Method::POST, "/invitations/{id}/resend", Some(id.clone()), json!({})),
        (Method::POST, "/invitations/accept", None, accept),
        (Method::DELETE, "/invitations/{id}", Some(id), Value::Null),
        (Method::POST, "/invitations", None, json!({"email": email("petra"), "role": "viewer"})),
        (Method::POST, "/login/email", None, json!({"email": vera.email})),
        (Method::POST, "/login/email/complete", None, token(&vera.email, "log-in").await),
        (Method::POST, "/email/verify", None, verify),
        (Method::POST, "/email/confirm", None, token(&email("v"), "confirm-email").await),
        (Method::POST, "/email/undo", None, json!({"token": undo})),
        (Method::POST, "/email/verification", None, json!({})),
        (Method::POST, "/email", None, json!({"newEmail": email("root2"), "currentPassword": PASSWORD})),
        (Method::POST, "/users/{id}/password-reset", Some(user_id), json!({})),
        (Method::POST, "/password/forgot", None, json!({"email": email("nobody")})),
        (Method::POST, "/password/reset", None, reset),
        // Sign-ups create the account at once here, so there is no such link.
        (Method::POST, "/signup/complete", None, json!({"token": "none"})),
    ]
}

#[rstest]
#[actix_web::test]
async fn every_response_matches_the_document(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let document = serde_json::to_value(auth_service::openapi()).unwrap();
    let app = App::with(backend, &["--login-methods=password,email"]).await;
    let root = app.admin("root").await;
    let (alice, other) = (app.sign_up("alice").await, app.log_in("alice").await);
    let token = root.client.post("/api/auth/tokens", &json!({"name": "t", "role": "viewer"})).await.data();
    let (user_id, other_id, token_id) = (alice.id, other.session, token["id"].as_str().unwrap());
    let own_token = root.client.post("/api/auth/personal-tokens", &json!({"name": "chat"})).await.data();
    let own_token = own_token["id"].as_str().unwrap().to_owned();
    let sign_up = json!({"name": "Bob", "email": email("bob"), "password": PASSWORD});
    let log_in = json!({"email": email("bob"), "password": PASSWORD});
    let password = json!({"currentPassword": PASSWORD, "newPassword": PASSWORD});
    let refresh = json!({"refreshToken": other.refresh});
    let new_token = json!({"name": "t", "role": "viewer"});
    let new_user = json!({"name": "Carl", "email": email("carl"), "password": PASSWORD, "role": "viewer"});
    let by_mail = by_mail(&app, &root).await;
    let calls = [
        (Method::GET, "/config", None, Value::Null),
        (Method::GET, "/.well-known/jwks.json", None, Value::Null),
        (Method::GET, "/challenge", None, Value::Null),
        (Method::POST, "/signup", None, sign_up),
        (Method::POST, "/login", None, log_in),
        (Method::POST, "/refresh", None, refresh),
        (Method::GET, "/me", None, Value::Null),
        (Method::PATCH, "/me", None, json!({"timeZone": "Europe/Berlin", "notifications": {"mail": true}})),
        (Method::GET, "/me/export", None, Value::Null),
        (Method::GET, "/session", None, Value::Null),
        (Method::GET, "/sessions", None, Value::Null),
        (Method::POST, "/activity", None, Value::Null),
        (Method::GET, "/users", None, Value::Null),
        (Method::POST, "/users", None, new_user),
        (Method::GET, "/users/directory", None, Value::Null),
        (Method::GET, "/users/{id}", Some(user_id.to_string()), Value::Null),
        (Method::GET, "/users/{id}/sessions", Some(user_id.to_string()), Value::Null),
        (Method::PATCH, "/users/{id}", Some(user_id.to_string()), json!({"role": "engineer"})),
        (Method::DELETE, "/users/{id}/sessions", Some(user_id.to_string()), Value::Null),
        (Method::DELETE, "/users/{id}/locks", Some(user_id.to_string()), Value::Null),
        (Method::DELETE, "/users/{id}", Some(user_id.to_string()), Value::Null),
        (Method::GET, "/audit", None, Value::Null),
        (Method::GET, "/tokens", None, Value::Null),
        (Method::POST, "/tokens", None, new_token),
        (Method::DELETE, "/tokens/{id}", Some(token_id.to_owned()), Value::Null),
        (Method::GET, "/personal-tokens", None, Value::Null),
        (Method::POST, "/personal-tokens", None, json!({"name": "chat"})),
        (Method::DELETE, "/personal-tokens/{id}", Some(own_token), Value::Null),
        (Method::DELETE, "/sessions/all", None, Value::Null),
        (Method::DELETE, "/sessions/{id}", Some(other_id.to_string()), Value::Null),
        (Method::POST, "/password", None, password),
        (Method::GET, "/dev/mail", None, Value::Null),
        // Of the last admin, so it is refused.
        (Method::DELETE, "/me", None, json!({"currentPassword": PASSWORD})),
        (Method::POST, "/logout", None, json!({})),
    ];
    let mut called = HashSet::new();
    for (method, path, id, body) in by_mail.into_iter().chain(calls) {
        // The admin has ended this session above, so this is the only expected failure.
        let id = id.unwrap_or_else(|| Uuid::nil().to_string());
        let name = method.as_str().to_lowercase();
        let path = format!("/api/auth{path}");
        for caller in [&app.client, &root.client] {
            let request = caller.request(method.clone(), &path.replace("{id}", &id));
            let request = if body.is_null() { request } else { request.json(&body) };
            check(&document, &name, &path, &caller.send(request).await);
        }
        called.insert((name, path));
    }
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, operations)| {
        operations.as_object().unwrap().keys().map(|method| (method.clone(), path.clone()))
    });
    assert_eq!(operations.collect::<HashSet<_>>(), called, "every operation is called, and no other");
}
