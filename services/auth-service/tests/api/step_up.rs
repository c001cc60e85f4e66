use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};

use crate::app::{App, PASSWORD};
use crate::factors::{refused, step_up};

fn promote() -> Value {
    json!({"role": "engineer"})
}

#[rstest]
#[actix_web::test]
async fn a_sensitive_action_needs_a_fresh_factor_which_ends_no_session_s119(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--step-up-minutes=5"]).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let authenticator = app.add_authenticator(&root).await;
    let user = format!("/api/auth/users/{}", alice.id);
    // The code that confirmed the app counts.
    root.client.patch(&user, &promote()).await.expect(StatusCode::OK);

    app.advance(TimeDelta::minutes(5));
    for refusal in [
        root.client.patch(&user, &promote()).await,
        root.client.patch(&user, &json!({"isActive": false})).await,
        root.client.delete(&user).await,
        root.client.post("/api/auth/tokens", &json!({"name": "ci", "role": "viewer"})).await,
        root.client.post("/api/auth/personal-tokens", &json!({"name": "chat"})).await,
        root.client.post("/api/auth/invitations", &json!({"email": "b@example.com", "role": "admin"})).await,
        root.client.delete(&format!("{user}/factors")).await,
        root.client.delete("/api/auth/factors/totp").await,
        root.client.post("/api/auth/factors/recovery-codes", &json!({})).await,
        root.client
            .post("/api/auth/email", &json!({"newEmail": "r@example.com", "currentPassword": PASSWORD}))
            .await,
    ] {
        let error = refusal.error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");
        assert_eq!(error["details"]["methods"], json!(["totp"]));
    }
    root.client.patch(&user, &json!({"name": "Alice B"})).await.expect(StatusCode::OK);
    root.client
        .post("/api/auth/step-up", &json!({"password": PASSWORD}))
        .await
        .error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");

    let raised = step_up(&root.client, &authenticator.code(&app, 0)).await.data();
    assert_eq!((&raised["acr"], &raised["amr"]), (&json!("mfa"), &json!(["pwd", "otp", "mfa"])));
    refused(&step_up(&root.client, &authenticator.code(&app, 0)).await);
    root.client.patch(&user, &promote()).await.expect(StatusCode::OK);

    app.advance(TimeDelta::minutes(6));
    root.client.patch(&user, &promote()).await.error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");
    assert!(root.is_in().await, "only the permission ends");
    assert_eq!(app.audited(&root, "step_up").await, 1);
}

#[actix_web::test]
async fn a_step_up_reaches_every_process_with_the_old_token_s119() {
    let app = App::start(Backend::Real).await;
    let root = app.admin("root").await;
    let authenticator = app.add_authenticator(&root).await;
    let replica = app.replica().await;
    app.advance(TimeDelta::minutes(6));
    step_up(&root.client, &authenticator.code(&app, 0)).await.data();
    let now = app.state.platform.clock().now().timestamp();
    for process in [&app, &replica] {
        let tokens = process.state.platform.tokens();
        eventually("the process knows the step-up", async || {
            let claims = tokens.verifier.verify(&root.access).unwrap();
            claims.strength.auth_time == Some(now)
        })
        .await;
    }
    // A process that lost the event reads the mark.
    let marks = app.state.platform.backplane().marks.live().await.unwrap();
    assert!(marks.contains(&format!("step-up:{}:mfa:{now}", root.session)), "{marks:?}");
}

#[rstest]
#[actix_web::test]
async fn wrong_codes_lock_the_session_that_sends_them_and_no_other_s117(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=3"]).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    let token = app.first_step(&alice).await;
    let entered = app.second_step(&token, json!({"code": authenticator.code(&app, 0)})).await;
    let other = app.user(&entered);
    for _ in 0..3 {
        refused(&step_up(&alice.client, "000000").await);
    }
    app.advance(TimeDelta::seconds(30));
    let code = authenticator.code(&app, 0);
    step_up(&alice.client, &code).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    step_up(&other.client, &code).await.expect(StatusCode::OK);
    for body in
        [json!({}), json!({"code": "1", "recoveryCode": "2"}), json!({"code": "1", "password": PASSWORD})]
    {
        refused(&other.client.post("/api/auth/step-up", &body).await);
    }
}

#[rstest]
#[actix_web::test]
async fn users_without_a_factor_are_asked_for_none(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--jwt-access-expiry=2h"]).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    app.advance(TimeDelta::minutes(30));
    let user = format!("/api/auth/users/{}", alice.id);
    root.client.patch(&user, &promote()).await.expect(StatusCode::OK);
    // Only a first factor needs a fresh login, or the password once more.
    let begin = async || root.client.post("/api/auth/factors/totp", &json!({})).await;
    let error = begin().await.error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");
    assert_eq!(error["details"]["methods"], json!(["password"]));
    root.client.post("/api/auth/step-up", &json!({"password": PASSWORD})).await.expect(StatusCode::OK);
    begin().await.expect(StatusCode::OK);
}
