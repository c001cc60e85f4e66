use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};

use crate::app::{App, PASSWORD, User};
use crate::tokens::sign;

/// Created for these tests with `openssl genpkey -algorithm ed25519`.
const KEYS: [&str; 2] =
    [include_str!("../samples/ed25519_old.pem"), include_str!("../samples/ed25519_new.pem")];

#[rstest]
#[actix_web::test]
async fn operations_are_counted_under_bounded_labels_s56(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    app.refresh(&alice.refresh).await;
    app.try_log_in(&alice.email, "wrong password").await.expect(StatusCode::UNAUTHORIZED);
    eventually("the metrics have counted it", async || {
        let metrics = app.client.get("/metrics").await.text;
        [
            "auth_operations_total{operation=\"signup\",status=\"success\"} 1",
            "auth_operations_total{operation=\"refresh\",status=\"success\"} 1",
            "auth_operations_total{operation=\"login\",status=\"failure\"} 1",
            "auth_tokens_generated_total{type=\"access\"} 2",
            "auth_tokens_generated_total{type=\"refresh\"} 2",
            "auth_password_hash_duration_seconds_count 2",
            "auth_active_sessions 1",
        ]
        .iter()
        .all(|line| metrics.contains(line))
    })
    .await;
    let metrics = app.client.get("/metrics").await.text;
    for id in [alice.id.to_string(), alice.session.to_string(), alice.email.clone()] {
        assert!(!metrics.contains(&id));
    }
}

/// Creates an access token of the old stack: without a session, an id and a type in the header.
fn old_token(user: &User, now: i64) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let claims = json!({
        "userId": user.id, "email": user.email, "role": "viewer", "type": "access",
        "iss": "driftsentry", "aud": "api", "iat": now, "exp": now + 900
    });
    sign(&header, &claims)
}

#[rstest]
#[actix_web::test]
async fn a_token_of_the_old_stack_is_accepted_only_if_configured(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    for (accepted, expected) in [("false", StatusCode::UNAUTHORIZED), ("true", StatusCode::OK)] {
        let app = App::with(backend, &[&format!("--jwt-accept-legacy={accepted}")]).await;
        let alice = app.sign_up("alice").await;
        let now = app.state.platform.clock().now().timestamp();
        let token = old_token(&alice, now);
        let old = app.client.with_token(&token);
        old.get("/api/auth/me").await.expect(expected);
        assert!(!old.get("/api/auth/session").await.status.is_success(), "it names no session");
    }
}

#[rstest]
#[actix_web::test]
async fn keys_are_published_and_rotate_with_overlap_s07(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (old, new) = (file("old.pem", KEYS[0]), file("new.pem", KEYS[1]));
    let app = App::with(backend, &[&format!("--jwt-signing-key-file={old}")]).await;
    let alice = app.sign_up("alice").await;
    let jwks = app.client.get("/api/auth/.well-known/jwks.json").await.expect(StatusCode::OK);
    let header = |token: &str| -> Value {
        let part = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice(&part).unwrap()
    };
    assert_eq!(header(&alice.access)["alg"], "EdDSA");
    assert_eq!(header(&alice.access)["kid"], jwks["keys"][0]["kid"]);
    assert!(jwks["keys"][0].get("d").is_none(), "never the private part");
    let shared = App::start(backend).await;
    assert_eq!(shared.client.get("/api/auth/.well-known/jwks.json").await.json(), json!({"keys": []}));

    let public = file("old.pub.pem", include_str!("../samples/ed25519_old.pub.pem"));
    let arguments = [format!("--jwt-signing-key-file={new}"), format!("--jwt-public-key-files={public}")];
    let rotated = app.replica_with(&arguments).await;
    let again = rotated.user(&rotated.try_log_in(&alice.email, PASSWORD).await);
    assert_ne!(header(&again.access)["kid"], header(&alice.access)["kid"]);
    for token in [&alice.access, &again.access] {
        rotated.client.with_token(token).get("/api/auth/me").await.expect(StatusCode::OK);
    }
    let jwks = rotated.client.get("/api/auth/.well-known/jwks.json").await.json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
}
