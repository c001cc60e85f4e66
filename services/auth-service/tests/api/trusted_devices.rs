use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::{App, PASSWORD};
use crate::tokens::part;

#[rstest]
#[actix_web::test]
async fn a_trusted_device_spares_the_factor_at_the_login_only_and_until_it_is_revoked_s124(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--trusted-device-days=30"]).await;
    let (alice, bob) = (app.admin("alice").await, app.sign_up("bob").await);
    let (authenticator, other) = (app.add_authenticator(&alice).await, app.add_authenticator(&bob).await);
    let token = app.first_step(&alice).await;
    let code = authenticator.code(&app, 0);
    let answer = app.second_step(&token, json!({"code": code, "trustDevice": true})).await;
    answer.expect(StatusCode::OK);
    let cookies = answer.headers.get_all("set-cookie");
    let cookie =
        cookies.iter().map(|value| value.to_str().unwrap()).find(|text| text.starts_with("trusted_device="));
    let cookie = cookie.unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let browser = app.client.with_header("cookie", cookie.split(';').next().unwrap());
    let log_in = async |email: &str| {
        browser.post("/api/auth/login", &json!({"email": email, "password": PASSWORD})).await
    };

    let entered = app.user(&log_in(&alice.email).await);
    let claims = part(&entered.access, 1);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("pwd"), &json!(["pwd", "swk"])));
    // It stands in for no step-up, and for no other user.
    let create = json!({"name": "ci", "role": "viewer"});
    entered.client.post("/api/auth/tokens", &create).await.error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");
    assert_eq!(log_in(&bob.email).await.data()["mfaRequired"], true);
    assert!(other.codes.len() == 10);

    let listed = entered.client.with_header("cookie", cookie.split(';').next().unwrap());
    let listed = listed.get("/api/auth/trusted-devices").await.data();
    assert_eq!((&listed[0]["current"], listed.as_array().unwrap().len()), (&json!(true), 1));
    let device = format!("/api/auth/trusted-devices/{}", listed[0]["id"].as_str().unwrap());
    bob.client.delete(&device).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    entered.client.delete(&device).await.expect(StatusCode::OK);
    assert_eq!(log_in(&alice.email).await.data()["mfaRequired"], true);
}

#[rstest]
#[actix_web::test]
async fn trust_expires_ends_with_the_factors_and_is_off_by_default_s124(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--trusted-device-days=1"]).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    let token = app.first_step(&alice).await;
    let proof = json!({"code": authenticator.code(&app, 0), "trustDevice": true});
    let answer = app.second_step(&token, proof).await;
    let cookies = answer.headers.get_all("set-cookie");
    let cookie =
        cookies.iter().map(|value| value.to_str().unwrap()).find(|text| text.starts_with("trusted_device="));
    let browser = app.client.with_header("cookie", cookie.unwrap().split(';').next().unwrap());
    let body = json!({"email": alice.email, "password": PASSWORD});
    let asks = async |client: &testing::Client| {
        client.post("/api/auth/login", &body).await.data()["mfaRequired"] == json!(true)
    };
    assert!(!asks(&browser).await);
    let off = app.replica_with(&["--trusted-device-days=0".into()]).await;
    let there = off.client.with_header("cookie", cookie.unwrap().split(';').next().unwrap());
    assert!(asks(&there).await, "the setting is off there");
    app.advance(TimeDelta::hours(25));
    assert!(asks(&browser).await, "a day has passed");
    let token = off.first_step(&alice).await;
    let proof = json!({"code": authenticator.code(&off, 0), "trustDevice": true});
    let answer = off.second_step(&token, proof).await;
    answer.expect(StatusCode::OK);
    let cookies = answer.headers.get_all("set-cookie");
    assert!(!cookies.iter().any(|value| value.to_str().unwrap().starts_with("trusted_device")));
}
