use std::collections::HashSet;

use boon::{Compiler, Schemas};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Method};
use uuid::Uuid;

use crate::app::{App, PASSWORD, email};

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

#[rstest]
#[actix_web::test]
async fn every_response_matches_the_document(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let document = serde_json::to_value(auth_service::openapi()).unwrap();
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let (alice, other) = (app.sign_up("alice").await, app.log_in("alice").await);
    let token = root.client.post("/api/auth/tokens", &json!({"name": "t", "role": "viewer"})).await.data();
    let (user_id, other_id, token_id) = (alice.id, other.session, token["id"].as_str().unwrap());
    let sign_up = json!({"name": "Bob", "email": email("bob"), "password": PASSWORD});
    let log_in = json!({"email": email("bob"), "password": PASSWORD});
    let password = json!({"currentPassword": PASSWORD, "newPassword": PASSWORD});
    let refresh = json!({"refreshToken": other.refresh});
    let new_token = json!({"name": "t", "role": "viewer"});
    let new_user = json!({"name": "Carl", "email": email("carl"), "password": PASSWORD, "role": "viewer"});
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
        (Method::DELETE, "/sessions/all", None, Value::Null),
        (Method::DELETE, "/sessions/{id}", Some(other_id.to_string()), Value::Null),
        (Method::POST, "/password", None, password),
        // Of the last admin, so it is refused.
        (Method::DELETE, "/me", None, json!({"currentPassword": PASSWORD})),
        (Method::POST, "/logout", None, json!({})),
    ];
    let mut called = HashSet::new();
    for (method, path, id, body) in calls {
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
