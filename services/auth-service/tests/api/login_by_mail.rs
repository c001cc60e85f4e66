use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, StatusCode};

use crate::app::{App, PASSWORD, email};
use crate::mails::reason;

const BOTH: &str = "--login-methods=password,email";

impl App {
    async fn ask_for_link(&self, email: &str) -> Answer {
        self.client.post("/api/auth/login/email", &json!({ "email": email })).await
    }

    async fn enter(&self, proof: Value) -> Answer {
        self.client.post("/api/auth/login/email/complete", &proof).await
    }
}

#[rstest]
#[actix_web::test]
async fn a_link_or_a_code_opens_a_session_once(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &[BOTH]).await;
    let ada = app.sign_up("ada").await;
    app.ask_for_link(&ada.email).await.expect(StatusCode::ACCEPTED);
    let mail = app.mail(&ada.email, "log-in").await;
    let entered = app.enter(json!({"token": mail.token})).await;
    assert_eq!(entered.status, StatusCode::OK);
    let entered = app.user(&entered);
    assert!(entered.is_in().await && entered.session != ada.session);
    // Reading the mail proves the address.
    assert!(!entered.client.get("/api/auth/me").await.data()["emailVerifiedAt"].is_null());
    assert_eq!(reason(&app.enter(json!({"token": mail.token})).await), "used");

    let id = app.ask_for_link(&ada.email).await.data()["requestId"].clone();
    app.all_mails_are_out().await;
    let mail = app.mail(&ada.email, "log-in").await;
    assert_eq!(app.enter(json!({"requestId": id, "code": mail.code})).await.status, StatusCode::OK);
    app.ask_for_link(&ada.email).await;
    app.all_mails_are_out().await;
    let mail = app.mail(&ada.email, "log-in").await;
    app.advance(TimeDelta::minutes(15));
    assert_eq!(reason(&app.enter(json!({"token": mail.token})).await), "expired");
}

#[rstest]
#[actix_web::test]
async fn only_the_chosen_methods_exist(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    app.ask_for_link(&ada.email).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(app.client.get("/api/auth/config").await.data()["loginMethods"], json!(["password"]));
    let app = app.replica_with(&["--login-methods=email".into()]).await;
    app.try_log_in(&ada.email, PASSWORD).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    app.ask_for_link(&email("nobody")).await.expect(StatusCode::ACCEPTED);
}

#[rstest]
#[actix_web::test]
async fn ending_everything_voids_the_links_in_mails(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[BOTH]).await;
    let (admin, ada) = (app.admin("root").await, app.sign_up("ada").await);
    app.ask_for_link(&ada.email).await;
    let mail = app.mail(&ada.email, "log-in").await;
    let ended = admin.client.delete(&format!("/api/auth/users/{}/sessions", ada.id)).await;
    ended.expect(StatusCode::OK);
    assert_eq!(reason(&app.enter(json!({"token": mail.token})).await), "revoked");
}
