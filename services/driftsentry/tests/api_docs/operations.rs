//! Rules for every documented operation, checked on the running binary. The list of operations comes from the
//! document, so new operations are checked as well.

use std::path::Path;

use serde_json::{Value, json};
use testing::{Answer, Client, Method, Process, StatusCode, free_port};
use uuid::Uuid;

const BINARY: &str = env!("CARGO_BIN_EXE_driftsentry");
const ROLES: [&str; 3] = ["viewer", "engineer", "admin"];

struct Operation {
    name: String,
    method: Method,
    path: String,
    /// The lowest role, if a token is required.
    role: Option<&'static str>,
    takes_token: bool,
    takes_body: bool,
}

fn operations(document: utoipa::openapi::OpenApi) -> Vec<Operation> {
    let document = serde_json::to_value(document).unwrap();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            let is_open = security.is_empty() || security.contains(&json!({}));
            let bearer = security.iter().find_map(|way| way.get("bearer"));
            let role = |bearer: &Value| {
                let named = bearer[0].as_str().unwrap_or("viewer");
                ROLES.into_iter().find(|role| *role == named).unwrap()
            };
            operations.push(Operation {
                name: operation["operationId"].as_str().unwrap().into(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.replace("{id}", &Uuid::new_v4().to_string()),
                role: bearer.filter(|_| !is_open).map(role),
                takes_token: bearer.is_some(),
                takes_body: operation.get("requestBody").is_some(),
            });
        }
    }
    operations
}

struct App {
    anonymous: Client,
    _process: Process,
    _data: tempfile::TempDir,
}

impl App {
    /// Starts the binary, with the old contract if a document describes it.
    async fn start(compat_routes: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let port = free_port().to_string();
        let arguments = ["--port", &port, "--data-dir", data.path().to_str().unwrap()];
        // Each operation logs the admin in once.
        let settings =
            [("BCRYPT_COST", "4"), ("COMPAT_ROUTES", compat_routes), ("LOGINS_PER_ACCOUNT", "1000")];
        let mut process = Process::spawn(Path::new(BINARY), &arguments, settings);
        let base = format!("http://127.0.0.1:{port}");
        process.wait_until_ready(&base).await;
        Self { anonymous: Client::new(base), _process: process, _data: data }
    }

    /// Returns a caller of that role, in a new session.
    async fn caller(&self, role: &str) -> Client {
        let credentials =
            json!({"email": format!("{role}@driftsentry.local"), "password": format!("{role}123")});
        let login = self.anonymous.post("/api/auth/login", &credentials).await.expect(StatusCode::OK);
        self.anonymous.with_token(login["data"]["accessToken"].as_str().unwrap())
    }
}

async fn call(client: &Client, operation: &Operation, query: &str, body: &'static str) -> Answer {
    let path = format!("{}{query}", operation.path);
    let request = client.request(operation.method.clone(), &path);
    let request = request.header("content-type", "application/json");
    client.send(if operation.takes_body { request.body(body) } else { request }).await
}

/// 401 takes precedence over 403, and 403 over any other error of the request.
#[tokio::test]
async fn a_missing_permission_takes_precedence_over_all_other_errors() {
    let operations = operations(super::document());
    assert!(operations.len() > 40);
    check_permissions(operations, "false").await;
}

#[tokio::test]
async fn a_missing_permission_takes_precedence_in_the_old_contract_too() {
    let operations = operations(super::old_document());
    assert!(operations.len() > 16);
    check_permissions(operations, "true").await;
}

async fn check_permissions(operations: Vec<Operation>, compat_routes: &str) {
    let app = App::start(compat_routes).await;
    let mut callers = Vec::new();
    for role in ROLES {
        callers.push((role, app.caller(role).await));
    }
    for operation in operations {
        let Some(least) = operation.role else { continue };
        for body in ["", "{", "[]", "null", "{\"unknown\":1}", "\"text\""] {
            for query in ["", "?unknown=1&limit=0"] {
                let at = format!("{} {query} {body}", operation.name);
                let nobody = call(&app.anonymous, &operation, query, body).await;
                assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{at}: {}", nobody.text);
                let too_low = callers.iter().take_while(|(role, _)| *role != least);
                for (role, caller) in too_low {
                    let answer = call(caller, &operation, query, body).await;
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{at} as {role}: {}", answer.text);
                }
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_by_name() {
    let app = App::start("false").await;
    for operation in operations(super::document()) {
        // Each operation gets a new caller, because an operation that takes effect may end the session.
        let client = if operation.takes_token { app.caller("admin").await } else { app.anonymous.clone() };
        let answer = call(&client, &operation, "?bogusParameter=1", "{}").await;
        let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let named = error["details"]
            .as_array()
            .is_some_and(|details| details.iter().any(|detail| detail["field"] == "bogusParameter"));
        assert!(named, "{}: {error}", operation.name);
    }
}

#[tokio::test]
async fn the_old_contract_ignores_an_unknown_parameter() {
    let app = App::start("true").await;
    for operation in operations(super::old_document()) {
        // Nobody can delete the last admin.
        let client = if operation.takes_token { app.caller("admin").await } else { app.anonymous.clone() };
        let answer = call(&client, &operation, "?bogusParameter=1", "{}").await;
        assert!(!answer.text.contains("bogusParameter"), "{}: {}", operation.name, answer.text);
        assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", operation.name);
    }
}
