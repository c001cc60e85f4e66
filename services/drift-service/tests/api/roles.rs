//! Permissions: every operation of the OpenAPI document, called by every kind of caller.

use backplane::Entry;
use contracts::Role;
use contracts::events::auth::{EndReason, SessionDeleted, UserUpdated};
use rstest::rstest;
use serde_json::{Value, json};
use strum::IntoEnumIterator;
use testing::{Backend, Client, Method, StatusCode, eventually};
use uuid::Uuid;

use crate::app::App;

/// The lowest role that an operation requires.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Needs {
    Nothing,
    Role(Role),
}

const RULES: [(&str, &str, Needs); 52] = [
    ("get", "/api/v1/drifts", Needs::Nothing),
    ("post", "/api/v1/drifts", Needs::Role(Role::Engineer)),
    ("post", "/api/v1/drifts/ingest", Needs::Role(Role::Engineer)),
    ("post", "/api/v1/guard", Needs::Role(Role::Engineer)),
    ("post", "/api/v1/drifts/bulk", Needs::Role(Role::Engineer)),
    ("post", "/api/v1/drifts/decide", Needs::Role(Role::Engineer)),
    ("get", "/api/v1/drifts/export", Needs::Role(Role::Viewer)),
    ("get", "/api/v1/drifts/groups", Needs::Role(Role::Viewer)),
    ("get", "/api/v1/drifts/facets", Needs::Nothing),
    ("get", "/api/v1/drifts/rules", Needs::Role(Role::Viewer)),
    ("put", "/api/v1/drifts/rules", Needs::Role(Role::Admin)),
    ("post", "/api/v1/drifts/rules/rehearse", Needs::Role(Role::Engineer)),
    ("get", "/api/v1/drifts/rules/versions", Needs::Role(Role::Viewer)),
    ("post", "/api/v1/drifts/rules/versions/{version}/restore", Needs::Role(Role::Admin)),
    ("get", "/api/v1/drifts/{id}", Needs::Nothing),
    ("patch", "/api/v1/drifts/{id}", Needs::Role(Role::Engineer)),
    ("delete", "/api/v1/drifts/{id}", Needs::Role(Role::Admin)),
    ("post", "/api/v1/drifts/{id}/approve", Needs::Role(Role::Engineer)),
    ("post", "/api/v1/drifts/{id}/reject", Needs::Role(Role::Engineer)),
    ("post", "/api/v1/drifts/{id}/resolve", Needs::Role(Role::Engineer)),
    ("post", "/api/v1/drifts/{id}/reopen", Needs::Role(Role::Engineer)),
    ("get", "/api/v1/drifts/{id}/history", Needs::Role(Role::Viewer)),
    ("get", "/api/v1/drifts/{id}/comments", Needs::Role(Role::Viewer)),
    ("post", "/api/v1/drifts/{id}/comments", Needs::Role(Role::Engineer)),
    ("delete", "/api/v1/drifts/{id}/comments/{comment}", Needs::Role(Role::Engineer)),
    ("put", "/api/v1/drifts/{id}/watch", Needs::Role(Role::Viewer)),
    ("delete", "/api/v1/drifts/{id}/watch", Needs::Role(Role::Viewer)),
    ("get", "/api/v1/alerts", Needs::Nothing),
    ("post", "/api/v1/alerts", Needs::Role(Role::Engineer)),
    ("post", "/api/v1/alerts/read-all", Needs::Role(Role::Viewer)),
    ("get", "/api/v1/alerts/{id}", Needs::Nothing),
    ("delete", "/api/v1/alerts/{id}", Needs::Role(Role::Admin)),
    ("post", "/api/v1/alerts/{id}/read", Needs::Role(Role::Viewer)),
    ("get", "/api/v1/stacks", Needs::Nothing),
    ("get", "/api/v1/stacks/{name}", Needs::Nothing),
    ("patch", "/api/v1/stacks/{name}", Needs::Role(Role::Engineer)),
    ("delete", "/api/v1/stacks/{name}", Needs::Role(Role::Admin)),
    ("get", "/api/v1/stacks/{name}/badge.svg", Needs::Nothing),
    ("get", "/api/v1/scans", Needs::Nothing),
    ("get", "/api/v1/scans/{id}", Needs::Nothing),
    ("put", "/api/v1/drifts/{id}/deciding", Needs::Role(Role::Engineer)),
    ("delete", "/api/v1/drifts/{id}/deciding", Needs::Role(Role::Engineer)),
    ("get", "/api/v1/metrics/summary", Needs::Nothing),
    ("get", "/api/v1/metrics/trend", Needs::Nothing),
    ("get", "/api/v1/metrics/changes", Needs::Nothing),
    ("get", "/api/v1/views", Needs::Role(Role::Viewer)),
    ("post", "/api/v1/views", Needs::Role(Role::Viewer)),
    ("patch", "/api/v1/views/{id}", Needs::Role(Role::Viewer)),
    ("delete", "/api/v1/views/{id}", Needs::Role(Role::Viewer)),
    ("get", "/api/v1/reports/monthly", Needs::Role(Role::Viewer)),
    ("get", "/api/v1/audit", Needs::Role(Role::Admin)),
    ("get", "/api/v1/audit/export", Needs::Role(Role::Admin)),
];

/// Returns the method, the path and the documented role of every operation.
fn operations() -> Vec<(String, String, Needs)> {
    let document = serde_json::to_value(drift_service::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((method.clone(), path.clone(), documented(&operation["security"])));
        }
    }
    operations
}

fn documented(security: &Value) -> Needs {
    match security.as_array().unwrap().as_slice() {
        [required] => Needs::Role(required["bearer"][0].as_str().unwrap().parse().unwrap()),
        alternatives => {
            assert!(alternatives.contains(&json!({})), "{alternatives:?}");
            Needs::Nothing
        }
    }
}

async fn call(caller: &Client, method: &str, path: &str) -> StatusCode {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let path = path.replace("{id}", &Uuid::new_v4().to_string());
    caller.send(caller.request(method, &path).json(&json!({}))).await.status
}

#[rstest]
#[actix_web::test]
async fn every_operation_admits_exactly_the_documented_roles(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values(true, false)] reads_are_public: bool,
) {
    let app = App::with(backend, &[&format!("--public-reads={reads_are_public}")]).await;
    let bad = app.anonymous.with_token("not.a.token");
    let expired = app.anonymous.with_token(&app.token(Role::Admin, -60));
    // A service token is a long-lived access token, with at most the role engineer.
    let service = app.anonymous.with_token(&app.token(Role::Engineer, 86_400 * 365));
    for (method, path, documented) in operations() {
        let rule =
            RULES.iter().find(|(rule_method, rule_path, _)| *rule_method == method && *rule_path == path);
        let Some((.., needs)) = rule else { panic!("no rule says who may {method} {path}") };
        assert_eq!(documented, *needs, "{method} {path}");
        let needs = match needs {
            Needs::Nothing if !reads_are_public => Needs::Role(Role::Viewer),
            needs => *needs,
        };
        let at = format!("{method} {path}");
        for caller in [&bad, &expired] {
            assert_eq!(call(caller, &method, &path).await, StatusCode::UNAUTHORIZED, "{at}");
        }
        let status = call(&app.anonymous, &method, &path).await;
        assert_eq!(status == StatusCode::UNAUTHORIZED, needs != Needs::Nothing, "{at}: {status}");
        for (role, caller) in
            Role::iter().map(|role| (role, app.caller(role))).chain([(Role::Engineer, service.clone())])
        {
            let status = call(&caller, &method, &path).await;
            let is_refused = matches!(needs, Needs::Role(least) if role < least);
            assert_eq!(status == StatusCode::FORBIDDEN, is_refused, "{at} by {role}: {status}");
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{at} by {role}");
            assert!(!status.is_server_error(), "{at} by {role}: {status}");
        }
    }
}

#[test]
fn every_rule_names_a_documented_operation() {
    let operations = operations();
    for (method, path, _) in RULES {
        assert!(operations.iter().any(|(known, at, _)| *known == method && *at == path), "{method} {path}");
    }
    assert_eq!(operations.len(), RULES.len());
}

#[rstest]
#[actix_web::test]
async fn a_token_is_accepted_and_refused_as_in_auth_service_s01_s25(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let token = app.token(Role::Admin, 900);
    let claims = app.platform.tokens().verifier.verify(&token).unwrap();
    let audit = async |token: &str| app.anonymous.with_token(token).get("/api/v1/audit").await.status;
    assert_eq!(audit(&token).await, StatusCode::OK);
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, body) = signed.split_once('.').unwrap();
    // {"alg":"none","typ":"at+jwt"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{body}.");
    for forged in [format!("{signed}."), format!("{signed}.AAAA"), unsigned, app.token(Role::Admin, -12)] {
        assert_eq!(audit(&forged).await, StatusCode::UNAUTHORIZED, "{forged}");
    }

    let (user_id, session_id) = (claims.user_id.parse().unwrap(), claims.sid.unwrap());
    let other = app.token(Role::Admin, 900);
    let event = SessionDeleted { user_id, session_id, reason: EndReason::Logout };
    let entry = Entry::of(event, app.platform.clock()).unwrap();
    app.platform.backplane().log.append(&[entry]).await.unwrap();
    eventually("the token is refused", async || audit(&token).await == StatusCode::UNAUTHORIZED).await;
    assert_eq!(audit(&other).await, StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn a_role_change_applies_at_the_next_request_s29(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let token = app.token(Role::Viewer, 900);
    let user_id = app.platform.tokens().verifier.verify(&token).unwrap().user_id.parse().unwrap();
    let audit = async || app.anonymous.with_token(&token).get("/api/v1/audit").await.status;
    assert_eq!(audit().await, StatusCode::FORBIDDEN);
    let event = UserUpdated { user_id, role: Role::Admin, is_active: true, account_id: None, generation: 2 };
    app.platform.backplane().log.append(&[Entry::of(event, app.platform.clock()).unwrap()]).await.unwrap();
    eventually("the new role applies", async || audit().await == StatusCode::OK).await;
    let event = UserUpdated { user_id, role: Role::Admin, is_active: false, account_id: None, generation: 3 };
    app.platform.backplane().log.append(&[Entry::of(event, app.platform.clock()).unwrap()]).await.unwrap();
    eventually("the disabled user is refused", async || audit().await == StatusCode::UNAUTHORIZED).await;
}
