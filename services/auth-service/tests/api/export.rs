use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, BEHIND_PROXY, WRONG};

#[rstest]
#[actix_web::test]
async fn people_export_their_own_data_and_no_secrets(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[BEHIND_PROXY]).await;
    let (mut root, mut alice, bob) =
        (app.admin("root").await, app.admin("alice").await, app.sign_up("bob").await);
    root.client = app.at("203.0.113.9").with_token(&root.access);
    alice.client = app.at("198.51.100.7").with_token(&alice.access);
    let token =
        alice.client.post("/api/auth/tokens", &json!({"name": "scanner", "role": "viewer"})).await.data();
    alice
        .client
        .patch("/api/auth/me", &json!({"notifications": {"mail": true}}))
        .await
        .expect(StatusCode::OK);
    app.try_log_in_at("192.0.2.5", &alice.email, WRONG).await.expect(StatusCode::UNAUTHORIZED);
    let change = json!({"accountId": "acme"});
    root.client.patch(&format!("/api/auth/users/{}", alice.id), &change).await.expect(StatusCode::OK);

    let answer = alice.client.get("/api/auth/me/export").await;
    assert_eq!(answer.header("content-disposition"), r#"attachment; filename="driftsentry-account.json""#);
    assert_eq!(answer.header("cache-control"), "no-store");
    let export = answer.data();
    assert_eq!(export["profile"], alice.client.get("/api/auth/me").await.data());
    assert_eq!(export["profile"]["notifications"], json!({"mail": true}));
    assert_eq!(export["sessions"].as_array().unwrap().len(), 2);
    assert!(
        export["sessions"].as_array().unwrap().iter().any(|session| session["id"] == json!(alice.session))
    );
    assert_eq!(export["networks"][0]["network"], "127.0.0.1");
    assert_eq!(export["serviceTokens"][0]["id"], token["id"]);
    assert_eq!(export["settings"], json!({}));
    assert_eq!(export["limits"]["isComplete"], true);
    let rows = export["auditLog"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["userId"] == json!(alice.id)));
    let of = |action: &str| rows.iter().find(|row| row["action"] == action).unwrap();
    assert_eq!(of("login_failed")["ipAddress"], "192.0.2.5");
    assert_eq!(of("user_updated")["actorId"], json!(root.id));

    let text = &answer.text;
    assert!(!text.contains("203.0.113.9"), "the address of an admin is not the user's data");
    for foreign in [&bob.email, &root.email, &bob.id.to_string(), &root.session.to_string()] {
        assert!(!text.contains(foreign), "{foreign}");
    }
    for secret in ["sha384:", "$2b$", "tokenHash", "sessionToken", "rotation", "password\"", "search"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(!text.contains(token["token"].as_str().unwrap()) && !text.contains(&alice.refresh));
}

#[rstest]
#[actix_web::test]
async fn exports_are_for_people_and_limited(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    app.client.get("/api/auth/me/export").await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    let token = root.client.post("/api/auth/tokens", &json!({"name": "scanner", "role": "viewer"})).await;
    let machine = app.client.with_token(token.data()["token"].as_str().unwrap());
    machine.get("/api/auth/me/export").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    for _ in 0..10 {
        alice.client.get("/api/auth/me/export").await.expect(StatusCode::OK);
    }
    let refused = alice.client.get("/api/auth/me/export").await;
    refused.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    root.client.get("/api/auth/me/export").await.expect(StatusCode::OK);
}
