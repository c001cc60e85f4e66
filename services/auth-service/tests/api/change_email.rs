use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, StatusCode};

use crate::app::{App, PASSWORD, User, WRONG, email};
use crate::mails::reason;

impl App {
    async fn change(&self, user: &User, new: &str, password: &str) -> Answer {
        user.client.post("/api/auth/email", &json!({"newEmail": new, "currentPassword": password})).await
    }

    /// Changes the address of a user, and confirms it.
    async fn change_confirmed(&self, user: &User, new: &str) {
        self.change(user, new, PASSWORD).await.expect(StatusCode::ACCEPTED);
        let mail = self.mail(new, "confirm-email").await;
        let done = self.client.post("/api/auth/email/confirm", &json!({"token": mail.token})).await;
        assert_eq!(done.data(), json!({ "email": new }));
    }
}

#[rstest]
#[actix_web::test]
async fn a_new_address_counts_once_confirmed_and_the_old_one_undoes_it(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let (old, new) = (email("ada"), email("lovelace"));
    assert_eq!(app.change(&ada, &new, WRONG).await.status, StatusCode::BAD_REQUEST);
    app.change(&ada, &new, PASSWORD).await.expect(StatusCode::ACCEPTED);
    let me = ada.client.get("/api/auth/me").await.data();
    assert_eq!((&me["email"], &me["pendingEmail"]), (&json!(old), &json!(new)));
    let mail = app.mail(&new, "confirm-email").await;
    app.client.post("/api/auth/email/confirm", &json!({"token": mail.token})).await.expect(StatusCode::OK);
    assert_eq!(app.try_log_in(&old, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let ada = app.user(&app.try_log_in(&new, PASSWORD).await);
    let me = ada.client.get("/api/auth/me").await.data();
    assert_eq!((&me["email"], &me["pendingEmail"]), (&json!(new), &json!(null)));

    // The owner of the old address takes it back, which ends all sessions, and receives a mail for a password.
    let undo = app.mail(&old, "undo-email").await;
    assert!(undo.code.is_empty(), "only the link counts: {}", undo.text);
    app.advance(TimeDelta::hours(71));
    let ada = app.user(&app.try_log_in(&new, PASSWORD).await);
    let done = app.client.post("/api/auth/email/undo", &json!({"token": undo.token})).await;
    assert_eq!(done.data(), json!({ "email": old }));
    assert_eq!(app.ended(ada.session).await, "email_restored");
    assert!(!ada.is_in().await);
    assert_eq!(app.try_log_in(&new, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let reset = app.mail(&old, "reset-password").await;
    assert_eq!(app.reset(json!({"token": reset.token}), "a new password").await.status, StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn a_changed_address_ends_no_session_and_is_in_the_next_token(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    app.change_confirmed(&ada, &email("lovelace")).await;
    assert!(ada.is_in().await);
    let updated = app.event("auth:user.updated", |payload| payload["userId"] == json!(ada.id)).await;
    assert_eq!(updated["generation"], json!(1), "other services learn that the token has old claims");
    let refreshed = app.try_refresh(&ada.refresh).await.data();
    let claims = refreshed["accessToken"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!((&claims["email"], &claims["gen"]), (&json!(email("lovelace")), &json!(1)));
}

#[rstest]
#[actix_web::test]
async fn a_thief_who_changes_the_address_twice_and_the_password_cannot_stop_the_owner(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let (first, second) = (email("thief"), email("thief2"));
    app.change_confirmed(&ada, &first).await;
    let thief = app.user(&app.try_log_in(&first, PASSWORD).await);
    app.advance(TimeDelta::seconds(5));
    app.change_confirmed(&thief, &second).await;
    app.forgot(&second).await;
    let reset = app.mail(&second, "reset-password").await;
    app.reset(json!({"token": reset.token}), "the thief's password").await.expect(StatusCode::OK);

    let undo = app.mail(&email("ada"), "undo-email").await;
    let thiefs_undo = app.mail(&first, "undo-email").await;
    let done = app.client.post("/api/auth/email/undo", &json!({"token": undo.token})).await;
    assert_eq!(done.data(), json!({"email": email("ada")}));
    // The link at the thief's first address would take the account again.
    let again = app.client.post("/api/auth/email/undo", &json!({"token": thiefs_undo.token})).await;
    assert_eq!(reason(&again), "revoked");
}

#[rstest]
#[actix_web::test]
async fn an_address_that_is_taken_in_the_meantime_stays_with_its_owner(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    app.change(&ada, &email("bob"), PASSWORD).await.expect(StatusCode::ACCEPTED);
    let mail = app.mail(&email("bob"), "confirm-email").await;
    app.sign_up("bob").await;
    let refused = app.client.post("/api/auth/email/confirm", &json!({"token": mail.token})).await;
    refused.error(StatusCode::CONFLICT, "CONFLICT");
    assert_eq!(ada.client.get("/api/auth/me").await.data()["email"], json!(email("ada")));
}
