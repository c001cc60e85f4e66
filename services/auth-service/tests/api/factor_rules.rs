use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, PASSWORD};
use crate::factors::{Authenticator, refused};
use crate::tokens::part;

#[rstest]
#[actix_web::test]
async fn an_admin_without_the_demanded_factor_can_only_add_one_s122(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let root = app.admin("root").await;
    let strict = app.replica_with(&["--mfa-required=admins".into()]).await;
    // A session without the factor ends at the next refresh.
    strict.try_refresh(&root.refresh).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    assert!(!root.is_in().await);

    let asked = strict.try_log_in(&root.email, PASSWORD).await.data();
    assert_eq!((&asked["enrolment"], &asked["factors"]), (&json!(true), &json!([])));
    assert!(asked["accessToken"].is_null());
    let token = asked["mfaToken"].as_str().unwrap();
    refused(&strict.second_step(token, json!({"code": "000000"})).await);
    let begun = strict.client.post("/api/auth/login/enrol/totp", &json!({"mfaToken": token})).await.data();
    let authenticator = Authenticator::new(begun["secret"].as_str().unwrap());
    let done = strict.second_step(token, json!({"code": authenticator.code(&strict, 0)})).await;
    assert_eq!(done.data()["recoveryCodes"].as_array().unwrap().len(), 10);
    let entered = strict.user(&done);
    assert_eq!(part(&entered.access, 1)["acr"], "mfa");
    strict.try_refresh(&entered.refresh).await.expect(StatusCode::OK);
    entered.client.delete("/api/auth/factors/totp").await.error(StatusCode::CONFLICT, "CONFLICT");

    // Others log in as before, until they become admins.
    let alice = strict.sign_up("alice").await;
    assert!(alice.is_in().await);
    let user = format!("/api/auth/users/{}", alice.id);
    entered.client.patch(&user, &json!({"role": "admin"})).await.expect(StatusCode::OK);
    assert!(!alice.is_in().await);
    let asked = strict.try_log_in(&alice.email, PASSWORD).await.data();
    assert_eq!(asked["enrolment"], true);
    // The token of this login serves no other user and no second app.
    let again = strict.client.post("/api/auth/login/enrol/totp", &json!({"mfaToken": token})).await;
    again.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn everybody_signs_up_with_the_demanded_factor_s122(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--mfa-required=everybody"]).await;
    let body = json!({"name": "alice", "email": "alice@example.com", "password": PASSWORD});
    let asked = app.client.post("/api/auth/signup", &body).await.data();
    let token = asked["mfaToken"].as_str().unwrap();
    let begun = app.client.post("/api/auth/login/enrol/totp", &json!({"mfaToken": token})).await.data();
    let authenticator = Authenticator::new(begun["secret"].as_str().unwrap());
    let done = app.second_step(token, json!({"code": authenticator.code(&app, 0)})).await;
    let claims = part(&app.user(&done).access, 1);
    assert_eq!((&claims["acr"], &claims["mfa"]), (&json!("mfa"), &json!(true)));
    // The code that added the app is used up.
    let token = app.try_log_in("alice@example.com", PASSWORD).await.data()["mfaToken"].take();
    let again = json!({"code": authenticator.code(&app, 0)});
    refused(&app.second_step(token.as_str().unwrap(), again).await);
    assert_eq!(app.client.get("/api/auth/config").await.data()["mfaRequired"], "everybody");
}

#[rstest]
#[actix_web::test]
async fn an_admin_resets_lost_factors_which_is_audited_and_mailed_s123(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    app.add_authenticator(&alice).await;
    let factors = format!("/api/auth/users/{}/factors", alice.id);
    alice.client.delete(&factors).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    root.client.delete(&factors).await.expect(StatusCode::OK);
    assert_eq!(app.ended(alice.session).await, "admin");
    let event = app.event("auth:factor.changed", |event| event["change"] == "reset").await;
    assert!(event["sessionId"].is_null() && event["userId"] == json!(alice.id));
    app.log_in("alice").await;
    assert_eq!(app.audited(&alice, "factors_reset").await, 1);
    app.all_mails_are_out().await;
    let text = "An administrator removed all second factors of the DriftSentry account alice@example.com.";
    assert!(app.mails_to(&alice.email).await.iter().any(|mail| mail.text.contains(text)));
    root.client.delete(&factors).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
}
