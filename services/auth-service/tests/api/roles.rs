//! The matrix of callers and operations, generated from the OpenAPI document. A caller without permission is
//! refused before anything else in the request is read.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, Client, Method, StatusCode};
use uuid::Uuid;

use crate::app::{App, User};
use crate::tokens::{part, sign};

/// A documented operation that requires a token.
struct Operation {
    method: Method,
    path: String,
    needs_admin: bool,
    /// Whether a viewer is refused.
    needs_more: bool,
    takes_body: bool,
}

/// Returns the operations that require an access token, and `/logout`, which accepts one.
fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(auth_service::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let all = paths.into_iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().clone();
        methods.into_iter().filter_map(move |(method, operation)| {
            let needed = operation["security"].as_array()?.iter().find_map(|way| way.get("bearer"))?.clone();
            Some(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                needs_admin: needed == json!(["admin"]),
                needs_more: needed == json!(["admin"]) || needed == json!(["engineer"]),
                takes_body: !operation["requestBody"].is_null(),
            })
        })
    });
    all.collect()
}

impl Operation {
    /// Sends the operation with an invalid id, query and body.
    async fn send_malformed(&self, client: &Client) -> Answer {
        let path = self.path.replace("{id}", "not-an-id");
        let request = client.request(self.method.clone(), &format!("{path}?bogus=1"));
        let request = request.header("content-type", "application/json");
        client.send(if self.takes_body { request.body("{\"bogus\":") } else { request }).await
    }

    async fn send(&self, client: &Client) -> Answer {
        let path = self.path.replace("{id}", &Uuid::new_v4().to_string());
        let request = client.request(self.method.clone(), &path);
        let body = match path.rsplit('/').next() {
            Some("password") => json!({"currentPassword": "12345678", "newPassword": "12345678"}),
            Some("tokens") => json!({"name": "scanner", "role": "viewer"}),
            _ => json!({}),
        };
        client.send(if self.takes_body { request.json(&body) } else { request }).await
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

#[rstest]
#[actix_web::test]
async fn a_missing_permission_takes_precedence_over_a_malformed_request(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let machine = json!({"name": "scanner", "role": "engineer"});
    let machine = root.client.post("/api/auth/tokens", &machine).await.data()["token"].clone();
    let machine = app.client.with_token(machine.as_str().unwrap());
    let forged = app.client.with_token("forged");
    let operations = operations();
    assert!(
        operations.len() >= 15 && operations.iter().filter(|operation| operation.needs_admin).count() >= 8
    );
    for operation in &operations {
        let name = operation.name();
        // This operation also accepts other tokens, which it reads from the body.
        if operation.path.ends_with("/logout") {
            continue;
        }
        for nobody in [&app.client, &forged] {
            let refused = operation.send_malformed(nobody).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{name}: {}", refused.text);
        }
        let by_machine = operation.send_malformed(&machine).await;
        assert_eq!(by_machine.status, StatusCode::FORBIDDEN, "{name}: {}", by_machine.text);
        let by_viewer = operation.send_malformed(&alice.client).await;
        assert_eq!(
            by_viewer.status == StatusCode::FORBIDDEN,
            operation.needs_more,
            "{name}: {}",
            by_viewer.text
        );
        assert!(by_viewer.status.as_u16() < 500, "{name}: {}", by_viewer.text);
        if operation.takes_body || operation.path.contains("{id}") {
            let by_admin = operation.send_malformed(&root.client).await;
            by_admin.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
    }
}

/// Returns the user's access token with other claims, signed with the secret, as another back end could.
fn with_claims(user: &User, claims: &[(&str, Value)]) -> String {
    let mut all = part(&user.access, 1);
    for (name, value) in claims {
        all[*name] = value.clone();
    }
    sign(&part(&user.access, 0), &all)
}

#[rstest]
#[actix_web::test]
async fn a_token_of_an_unknown_user_or_of_the_wrong_session_is_refused_everywhere_s82(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, bob) = (app.admin("alice").await, app.admin("bob").await);
    let subject = |id: &str| [("sub", json!(id)), ("userId", json!(id))];
    let nobody = Uuid::new_v4().to_string();
    let machine = format!("service:{nobody}");
    let tokens = [
        ("another's session", with_claims(&alice, &[("sid", json!(bob.session))])),
        ("no session", with_claims(&alice, &[("sid", json!(Uuid::new_v4()))])),
        ("no user", with_claims(&alice, &subject(&nobody))),
        ("no id", with_claims(&alice, &subject("alice"))),
    ];
    for operation in operations() {
        for (what, token) in &tokens {
            let refused = operation.send(&app.client.with_token(token)).await;
            assert_eq!(
                refused.status,
                StatusCode::UNAUTHORIZED,
                "{what}: {}: {}",
                operation.name(),
                refused.text
            );
            assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        }
        let of_machine = [subject(&machine).as_slice(), &[("sid", json!(nobody))]].concat();
        let of_machine = app.client.with_token(&with_claims(&alice, &of_machine));
        let refused = operation.send(&of_machine).await;
        // Logging out is for people only, so any service token gets 403.
        let is_logout = operation.path.ends_with("/logout");
        let expected = if is_logout { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
        assert_eq!(refused.status, expected, "{}: {}", operation.name(), refused.text);
    }
    assert!(alice.is_in().await && bob.is_in().await, "nobody was logged out by it");
}
