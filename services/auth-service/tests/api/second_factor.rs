use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, PASSWORD, WRONG};
use crate::factors::{refused, second_step};
use crate::tokens::part;

/// Limits that 100 logins at once do not reach.
const MANY: [&str; 3] = [
    "--logins-per-account=1000",
    "--login-failures-per-account=1000",
    "--login-failures-per-account-per-day=1000",
];

#[rstest]
#[actix_web::test]
async fn a_password_alone_opens_nothing_and_the_code_completes_the_login_s115(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    app.all_events_are_out().await;
    let (events, before) = (app.all_published().len(), alice.client.get("/api/auth/sessions").await.data());

    let asked = app.try_log_in(&alice.email, PASSWORD).await;
    let data = asked.data();
    assert_eq!(data["factors"], json!(["totp", "recovery"]));
    assert_eq!(data["expiresIn"], 300);
    assert!(
        data["accessToken"].is_null() && data["user"].is_null() && !asked.headers.contains_key("set-cookie")
    );
    app.all_events_are_out().await;
    assert_eq!(app.all_published().len(), events, "an attempt publishes nothing");
    assert_eq!(alice.client.get("/api/auth/sessions").await.data(), before);
    assert_eq!(app.audited(&alice, "second_factor_asked").await, 1);

    let token = data["mfaToken"].as_str().unwrap();
    for (wrong, credential) in [
        app.client.with_token(token).get("/api/auth/me").await,
        app.try_refresh(token).await,
        app.client.post("/api/auth/password/reset", &json!({"token": token, "newPassword": PASSWORD})).await,
    ]
    .into_iter()
    .zip(["access", "refresh", "link"])
    {
        assert!(wrong.status.is_client_error(), "as {credential}: {}", wrong.text);
    }

    let completed = app.second_step(token, json!({"code": authenticator.code(&app, 0)})).await;
    let entered = app.user(&completed);
    let claims = part(&entered.access, 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("mfa"), &json!(["pwd", "otp", "mfa"])));
    assert_eq!(claims["auth_time"], claims["iat"]);
    assert!(entered.is_in().await);
    app.second_step(token, json!({"code": authenticator.code(&app, 1)}))
        .await
        .error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_login_without_a_factor_is_as_before(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let answer = app.try_log_in(&alice.email, PASSWORD).await.data();
    let mut fields: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
    fields.sort();
    assert_eq!(fields, ["accessToken", "expiresIn", "refreshToken", "session", "user"]);
    let claims = part(&alice.access, 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("pwd"), &json!(["pwd"])));
    assert!(claims["mfa"].is_null());
}

#[rstest]
#[actix_web::test]
async fn a_code_works_once_on_every_replica_and_one_step_early_or_late_s116(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (alice, replica) = (app.sign_up("alice").await, app.replica().await);
    let authenticator = app.add_authenticator(&alice).await;
    // The code that confirmed the app is used up as well.
    let token = app.first_step(&alice).await;
    refused(&app.second_step(&token, json!({"code": authenticator.code(&app, -1)})).await);

    app.advance(TimeDelta::minutes(2));
    for steps in [-1, 0, 1] {
        let code = json!({"code": authenticator.code(&app, steps)});
        let token = app.first_step(&alice).await;
        app.second_step(&token, code.clone()).await.expect(StatusCode::OK);
        let token = replica.first_step(&alice).await;
        refused(&second_step(&replica.client, &token, code).await);
    }
    let token = app.first_step(&alice).await;
    for steps in [-2, 2] {
        refused(&app.second_step(&token, json!({"code": authenticator.code(&app, steps)})).await);
    }
}

#[rstest]
#[actix_web::test]
async fn of_100_logins_with_one_code_one_succeeds_s116(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &MANY).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    for proof in
        [json!({"code": authenticator.code(&app, 0)}), json!({"recoveryCode": authenticator.codes[0]})]
    {
        let mut tokens = Vec::new();
        for _ in 0..100 {
            tokens.push(app.first_step(&alice).await);
        }
        let answers = join_all(tokens.iter().map(|token| app.second_step(token, proof.clone()))).await;
        let accepted = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
        assert_eq!(accepted, 1, "{proof}");
        answers.iter().filter(|answer| answer.status != StatusCode::OK).for_each(refused);
    }
    let listed = alice.client.get("/api/auth/factors").await.data();
    assert_eq!(listed["recoveryCodes"]["left"], 9);
}

#[rstest]
#[actix_web::test]
async fn wrong_codes_are_limited_like_passwords_and_no_response_tells_how_near_one_was_s117(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-failures-per-account=7"]).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    let token = app.first_step(&alice).await;
    let used = authenticator.code(&app, -1);
    let mut texts = Vec::new();
    for code in [used, authenticator.code(&app, 2), "000000".to_owned(), "1".to_owned(), String::new()] {
        let answer = app.second_step(&token, json!({"code": code})).await;
        refused(&answer);
        texts.push(answer.json()["error"]["details"].clone());
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    // Five tries use up a login, whatever comes then.
    app.second_step(&token, json!({"code": authenticator.code(&app, 0)}))
        .await
        .error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    let token = app.first_step(&alice).await;
    for _ in 0..2 {
        refused(&app.second_step(&token, json!({"recoveryCode": "AAAA-AAAA-AAAA-AAAA"})).await);
    }
    // The account is locked for this network, for codes and for passwords.
    let locked = app.second_step(&token, json!({"code": authenticator.code(&app, 0)})).await;
    locked.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    app.try_log_in(&alice.email, PASSWORD).await.error(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED");
    assert_eq!(app.audited(&alice, "second_factor_failed").await, 7);
}

#[rstest]
#[actix_web::test]
async fn a_login_that_waits_ends_after_five_minutes_and_with_the_sessions_s115(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    let token = app.first_step(&alice).await;
    app.advance(TimeDelta::minutes(5));
    let late = app.second_step(&token, json!({"code": authenticator.code(&app, 0)})).await;
    late.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");

    let token = app.first_step(&alice).await;
    alice.client.delete("/api/auth/sessions/all").await.expect(StatusCode::OK);
    let ended = app.second_step(&token, json!({"code": authenticator.code(&app, 0)})).await;
    ended.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    for token in ["", "x", &alice.refresh] {
        let forged = app.second_step(token, json!({"code": "123456"})).await;
        assert!(forged.status.is_client_error(), "{}", forged.text);
    }
    app.try_log_in(&alice.email, WRONG).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_password_that_was_reset_by_mail_does_not_spare_the_factor_s118(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--login-methods=password,email"]).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    app.forgot(&alice.email).await.data();
    let token = app.mail(&alice.email, "reset-password").await.token;
    let reset = json!({"token": token, "newPassword": "another password"});
    app.client.post("/api/auth/password/reset", &reset).await.data();
    let asked = app.try_log_in(&alice.email, "another password").await.data();
    assert_eq!(asked["mfaRequired"], true);

    app.client.post("/api/auth/login/email", &json!({"email": alice.email})).await.data();
    let proof = json!({"token": app.mail(&alice.email, "log-in").await.token});
    let asked = app.client.post("/api/auth/login/email/complete", &proof).await.data();
    assert_eq!(asked["mfaRequired"], true);
    let code = json!({"code": authenticator.code(&app, 0)});
    let entered = app.second_step(asked["mfaToken"].as_str().unwrap(), code).await;
    let claims = part(&app.user(&entered).access, 1);
    assert_eq!(claims["amr"], json!(["email", "otp", "mfa"]));
}
