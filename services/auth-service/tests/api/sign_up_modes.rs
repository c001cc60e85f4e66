use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};

use crate::app::{App, PASSWORD, User, email};
use crate::mails::reason;

fn body(name: &str) -> Value {
    json!({"name": name, "email": email(name), "password": PASSWORD})
}

impl App {
    /// Signs up with a verified address.
    async fn sign_up_verified(&self, name: &str) -> User {
        let asked = self.client.post("/api/auth/signup", &body(name)).await;
        asked.expect(StatusCode::ACCEPTED);
        let mail = self.mail(&email(name), "confirm-sign-up").await;
        self.user(&self.client.post("/api/auth/signup/complete", &json!({"token": mail.token})).await)
    }
}

#[rstest]
#[actix_web::test]
async fn an_account_begins_with_the_click_on_the_link(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--verify-email=true"]).await;
    let asked = app.client.post("/api/auth/signup", &body("ada")).await;
    let id = asked.expect(StatusCode::ACCEPTED)["data"]["requestId"].clone();
    let mail = app.mail(&email("ada"), "confirm-sign-up").await;
    assert_eq!(app.try_log_in(&email("ada"), PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let shown = app.client.post("/api/auth/links/show", &json!({"token": mail.token})).await.data();
    assert_eq!((&shown["purpose"], &shown["email"]), (&json!("sign_up"), &json!(email("ada"))));
    // The link is not used by looking at it.
    let done = app.client.post("/api/auth/signup/complete", &json!({"token": mail.token})).await;
    assert_eq!(done.status, StatusCode::CREATED);
    let ada = app.user(&done);
    assert!(!ada.client.get("/api/auth/me").await.data()["emailVerifiedAt"].is_null());
    let status = app.client.post("/api/auth/links/status", &json!({ "requestId": id })).await;
    assert_eq!(status.data(), json!({"status": "used"}));
    let again = app.client.post("/api/auth/signup/complete", &json!({"token": mail.token})).await;
    assert_eq!(reason(&again), "used");
    let verified = app.event("auth:email.verified", |payload| payload["userId"] == json!(ada.id)).await;
    assert_eq!(verified, json!({"userId": ada.id}));

    // The code does the same on the waiting page.
    let asked = app.client.post("/api/auth/signup", &body("bob")).await;
    let id = asked.data()["requestId"].clone();
    let mail = app.mail(&email("bob"), "confirm-sign-up").await;
    let proof = json!({"requestId": id, "code": mail.code});
    assert_eq!(app.client.post("/api/auth/signup/complete", &proof).await.status, StatusCode::CREATED);
}

#[rstest]
#[actix_web::test]
async fn a_taken_address_gets_the_same_response_and_its_owner_a_notice(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--verify-email=true"]).await;
    app.sign_up_verified("ada").await;
    app.all_mails_are_out().await;
    let before = app.mails_to(&email("ada")).await.len();
    let taken = app.client.post("/api/auth/signup", &body("ada")).await;
    let new = app.client.post("/api/auth/signup", &body("bob")).await;
    assert_eq!((taken.status, new.status), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    app.all_mails_are_out().await;
    let notices = app.mails_to(&email("ada")).await;
    assert_eq!(notices.len(), before + 1);
    assert!(notices[0].code.is_empty() && notices[0].text.contains("already has one"), "{}", notices[0].text);
    // A code for a request of a taken address is wrong like any other.
    let proof = json!({"requestId": taken.data()["requestId"], "code": "123456"});
    let refused = app.client.post("/api/auth/signup/complete", &proof).await;
    assert_eq!(reason(&refused), "wrong_code");
}

#[rstest]
#[actix_web::test]
async fn two_sign_ups_for_one_address_create_one_account(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--verify-email=true"]).await;
    app.client.post("/api/auth/signup", &body("ada")).await.expect(StatusCode::ACCEPTED);
    app.all_mails_are_out().await;
    app.client.post("/api/auth/signup", &body("ada")).await.expect(StatusCode::ACCEPTED);
    app.all_mails_are_out().await;
    let mails = app.mails_to(&email("ada")).await;
    assert_eq!(mails.len(), 2);
    let first = app.client.post("/api/auth/signup/complete", &json!({"token": mails[0].token})).await;
    let second = app.client.post("/api/auth/signup/complete", &json!({"token": mails[1].token})).await;
    assert_eq!((first.status, reason(&second).as_str()), (StatusCode::CREATED, "revoked"));
}

#[rstest]
#[actix_web::test]
async fn a_mode_admits_only_its_people(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    for mode in ["--signup=invite", "--signup=off"] {
        let app = App::with(backend, &[mode]).await;
        app.client.post("/api/auth/signup", &body("ada")).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    }
    let app = App::with(backend, &["--signup=domain:example.com"]).await;
    let config = app.client.get("/api/auth/config").await.data();
    let shown = (&config["signup"], &config["signupDomains"], &config["verifyEmail"]);
    assert_eq!(shown, (&json!("domain"), &json!(["example.com"]), &json!(true)));
    for foreign in ["ada@example.org", "ada@sub.example.com", "ada@example.com.evil.org"] {
        let body = json!({"name": "Ada", "email": foreign, "password": PASSWORD});
        app.client.post("/api/auth/signup", &body).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    }
    app.sign_up_verified("ada").await;
}

#[rstest]
#[actix_web::test]
async fn an_unverified_user_verifies_later_and_asks_again(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ada = app.sign_up("ada").await;
    let first = app.mail(&ada.email, "verify-email").await;
    assert!(ada.client.get("/api/auth/me").await.data()["emailVerifiedAt"].is_null());
    ada.client.post("/api/auth/email/verification", &json!({})).await.expect(StatusCode::ACCEPTED);
    app.all_mails_are_out().await;
    let second = app.mail(&ada.email, "verify-email").await;
    assert_ne!(first.token, second.token);
    let verify =
        async |token: &str| app.client.post("/api/auth/email/verify", &json!({"token": token})).await;
    assert_eq!(verify(&second.token).await.data(), json!({"email": ada.email}));
    assert!(!ada.client.get("/api/auth/me").await.data()["emailVerifiedAt"].is_null());
    app.advance(TimeDelta::hours(24));
    assert_eq!(reason(&verify(&first.token).await), "expired");
    // A signed-in user cannot send mails without end.
    let bob = app.sign_up("bob").await;
    let ask = async || bob.client.post("/api/auth/email/verification", &json!({})).await.status;
    for _ in 0..10 {
        assert_eq!(ask().await, StatusCode::ACCEPTED);
    }
    assert_eq!(ask().await, StatusCode::TOO_MANY_REQUESTS);
}
