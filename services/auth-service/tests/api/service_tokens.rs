use auth_service::service_token::entity as service_token;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use contracts::events::auth::EndReason;
use identity::TokenError;
use rstest::rstest;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testing::{Answer, Backend, Client, StatusCode, eventually};

use crate::app::{App, User};

async fn create(admin: &User, body: Value) -> Answer {
    admin.client.post("/api/auth/tokens", &body).await
}

/// Whether the token is accepted as a service token, which has no user of its own.
async fn works(client: &Client) -> bool {
    match client.get("/api/auth/me").await.status {
        StatusCode::FORBIDDEN => true,
        StatusCode::UNAUTHORIZED => false,
        status => panic!("{status}"),
    }
}

#[rstest]
#[actix_web::test]
async fn a_service_token_works_everywhere_until_an_admin_revokes_it(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let made = create(&root, json!({"name": "scanner", "role": "engineer", "accountId": "acme"})).await;
    let made = made.expect(StatusCode::CREATED)["data"].take();
    let token = made["token"].as_str().unwrap();
    let claims = app.state.platform.tokens().verifier.verify(token).unwrap();
    assert_eq!((claims.role.into_str(), claims.account_id.as_deref()), ("engineer", Some("acme")));
    let scanner = app.client.with_token(token);
    assert!(works(&scanner).await);
    scanner.get("/api/auth/users").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    for path in ["/api/auth/activity", "/api/auth/password", "/api/auth/logout"] {
        let body = match path {
            "/api/auth/password" => json!({"currentPassword": "12345678", "newPassword": "12345678"}),
            _ => json!({}),
        };
        scanner.post(path, &body).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    }

    let id = made["id"].as_str().unwrap();
    eventually("its use is recorded", async || {
        let listed = root.client.get("/api/auth/tokens").await;
        assert!(!listed.text.contains(token));
        let listed = listed.data();
        listed[0]["id"] == *id && listed[0]["lastUsedAt"].is_string()
    })
    .await;
    let row = service_token::by_id(&app.state.database, id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(row.token_hash, URL_SAFE_NO_PAD.encode(Sha256::digest(token)), "the text is not stored");

    root.client.delete(&format!("/api/auth/tokens/{id}")).await.expect(StatusCode::OK);
    assert!(!works(&scanner).await);
    app.event("auth:session.deleted", |event| event["sessionId"] == *id).await;
    assert_eq!(root.client.get("/api/auth/tokens").await.data(), json!([]));
    let again = root.client.delete(&format!("/api/auth/tokens/{id}")).await;
    again.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let audit = root.client.get("/api/auth/audit?action=service_token_ended").await.data();
    assert_eq!((&audit[0]["sessionId"], &audit[0]["actorId"]), (&json!(id), &json!(root.id)));
}

#[rstest]
#[actix_web::test]
async fn a_revoked_service_token_stays_revoked_for_months(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let expires_at = app.state.platform.clock().now() + TimeDelta::days(300);
    let body = json!({"name": "scanner", "role": "viewer", "expiresAt": expires_at});
    let made = create(&root, body).await.data();
    let token = made["token"].as_str().unwrap();
    let path = format!("/api/auth/tokens/{}", made["id"].as_str().unwrap());
    root.client.delete(&path).await.expect(StatusCode::OK);
    app.all_events_are_out().await;
    app.advance(TimeDelta::days(100));
    assert!(!works(&app.client.with_token(token)).await);
    // A service without the database knows it from the mark alone, which a new backplane gets again.
    let newcomer = app.with_new_backplane(backend).await;
    let revoked = Err(TokenError::Revoked { reason: EndReason::Admin });
    eventually("the mark is restored", async || {
        newcomer.state.platform.tokens().verifier.verify(token).map(drop) == revoked
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn a_service_token_expires(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let expires_at = app.state.platform.clock().now() + TimeDelta::minutes(10);
    let made =
        create(&root, json!({"name": "scanner", "role": "viewer", "expiresAt": expires_at})).await.data();
    let scanner = app.client.with_token(made["token"].as_str().unwrap());
    assert!(works(&scanner).await);
    app.advance(TimeDelta::minutes(9));
    assert!(works(&scanner).await);
    app.advance(TimeDelta::seconds(71));
    assert!(!works(&scanner).await);
}

#[rstest]
#[actix_web::test]
async fn only_admins_create_service_tokens_and_none_above_engineer(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let body = json!({"name": "scanner", "role": "viewer"});
    create(&alice, body.clone()).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let nobody = app.client.post("/api/auth/tokens", &body).await;
    nobody.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    for (field, body) in [
        ("role", json!({"name": "scanner", "role": "admin"})),
        ("role", json!({"name": "scanner", "role": "root"})),
        ("role", json!({"name": "scanner"})),
        ("name", json!({"name": "", "role": "viewer"})),
        ("accountId", json!({"name": "scanner", "role": "viewer", "accountId": "a b"})),
        ("expiresAt", json!({"name": "scanner", "role": "viewer", "expiresAt": "2020-01-01T00:00:00Z"})),
        ("expiresAt", json!({"name": "scanner", "role": "viewer", "expiresAt": "9020-01-01T00:00:00Z"})),
        ("userId", json!({"name": "scanner", "role": "viewer", "userId": root.id})),
    ] {
        let error = create(&root, body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field);
    }
}
