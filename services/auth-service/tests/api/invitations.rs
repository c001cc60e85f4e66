use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Answer, Backend, StatusCode};

use crate::app::{App, PASSWORD, User, email};
use crate::mails::reason;

const PATH: &str = "/api/auth/invitations";

impl App {
    async fn invite(&self, admin: &User, name: &str, role: &str) -> Value {
        let body = json!({"email": email(name), "role": role, "accountId": "acme"});
        let invited = admin.client.post(PATH, &body).await;
        invited.expect(StatusCode::CREATED)["data"].take()
    }

    async fn accept(&self, proof: Value) -> Answer {
        let mut body = proof;
        body["name"] = json!("Grace");
        body["password"] = json!(PASSWORD);
        self.client.post("/api/auth/invitations/accept", &body).await
    }
}

#[rstest]
#[actix_web::test]
async fn an_invited_person_gets_the_role_and_the_account(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--signup=invite", "--verify-email=true"]).await;
    let admin = app.first_admin().await;
    let invitation = app.invite(&admin, "grace", "engineer").await;
    assert_eq!(invitation["status"], json!("pending"));
    let mail = app.mail(&email("grace"), "invitation").await;
    let shown = app.client.post("/api/auth/links/show", &json!({"token": mail.token})).await.data();
    assert_eq!((&shown["purpose"], &shown["role"]), (&json!("invitation"), &json!("engineer")));
    let accepted = app.accept(json!({"token": mail.token})).await;
    assert_eq!(accepted.status, StatusCode::CREATED);
    let grace = app.user(&accepted);
    let me = grace.client.get("/api/auth/me").await.data();
    assert_eq!((&me["role"], &me["accountId"]), (&json!("engineer"), &json!("acme")));
    assert_eq!(reason(&app.accept(json!({"token": mail.token})).await), "used");
    let listed = admin.client.get(PATH).await.data();
    assert_eq!(listed[0]["status"], json!("accepted"));
    let event = app.event("auth:user.invited", |_| true).await;
    assert_eq!(event, json!({"invitationId": invitation["id"], "role": "engineer"}));
    let taken = admin.client.post(PATH, &json!({"email": email("grace"), "role": "viewer"})).await;
    taken.error(StatusCode::CONFLICT, "CONFLICT");
}

#[rstest]
#[actix_web::test]
async fn an_invitation_is_revoked_resent_and_expires(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let admin = app.admin("root").await;
    let invitation = app.invite(&admin, "grace", "viewer").await;
    let mail = app.mail(&email("grace"), "invitation").await;
    app.advance(TimeDelta::days(7));
    assert_eq!(reason(&app.accept(json!({"token": mail.token})).await), "expired");
    let admin = app.log_in("root").await;
    assert_eq!(admin.client.get(PATH).await.data()[0]["status"], json!("expired"));
    let id = invitation["id"].as_str().unwrap();
    let again = admin.client.post(&format!("{PATH}/{id}/resend"), &json!({})).await;
    let again = again.expect(StatusCode::ACCEPTED)["data"]["id"].take();
    app.all_mails_are_out().await;
    assert_eq!(app.mails_to(&email("grace")).await.len(), 2);
    let mail = app.mail(&email("grace"), "invitation").await;
    let id = again.as_str().unwrap();
    // By the code of the mail, with the address.
    let wrong = if mail.code == "000000" { "000001" } else { "000000" };
    let by_code = |code: &str| json!({"email": email("grace"), "code": code});
    assert_eq!(reason(&app.accept(by_code(wrong)).await), "wrong_code");
    let revoked = admin.client.delete(&format!("{PATH}/{id}")).await;
    assert_eq!(revoked.data()["status"], json!("revoked"));
    assert_eq!(reason(&app.accept(json!({"token": mail.token})).await), "revoked");
    assert_eq!(reason(&app.accept(by_code(&mail.code)).await), "wrong_code");
    let again = admin.client.post(&format!("{PATH}/{id}/resend"), &json!({})).await;
    again.error(StatusCode::NOT_FOUND, "NOT_FOUND");

    app.invite(&admin, "grace", "viewer").await;
    app.all_mails_are_out().await;
    let mail = app.mail(&email("grace"), "invitation").await;
    assert_eq!(app.accept(by_code(&mail.code)).await.status, StatusCode::CREATED);
}

#[rstest]
#[actix_web::test]
async fn only_active_admins_invite_and_a_former_admins_invitation_is_void(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (admin, other, viewer) =
        (app.admin("root").await, app.admin("other").await, app.sign_up("vera").await);
    let body = json!({"email": email("grace"), "role": "admin"});
    assert_eq!(viewer.client.post(PATH, &body).await.status, StatusCode::FORBIDDEN);
    assert_eq!(viewer.client.get(PATH).await.status, StatusCode::FORBIDDEN);
    app.invite(&other, "grace", "admin").await;
    let mail = app.mail(&email("grace"), "invitation").await;
    let demoted =
        admin.client.patch(&format!("/api/auth/users/{}", other.id), &json!({"role": "viewer"})).await;
    demoted.expect(StatusCode::OK);
    assert_eq!(reason(&app.accept(json!({"token": mail.token})).await), "revoked");
}

#[rstest]
#[actix_web::test]
async fn an_admin_sends_the_mail_for_a_new_password(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (admin, ada) = (app.admin("root").await, app.sign_up("ada").await);
    let path = format!("/api/auth/users/{}/password-reset", ada.id);
    assert_eq!(ada.client.post(&path, &json!({})).await.status, StatusCode::FORBIDDEN);
    admin.client.post(&path, &json!({})).await.expect(StatusCode::ACCEPTED);
    let mail = app.mail(&ada.email, "reset-password").await;
    assert_eq!(app.reset(json!({"token": mail.token}), "a new password").await.status, StatusCode::OK);
}
