use auth_service::factor::{recovery_code, totp_factor};
use auth_service::sweeper::sweep;
use chrono::TimeDelta;
use rstest::rstest;
use sea_orm::EntityTrait;
use serde_json::json;
use testing::{Backend, StatusCode};

use crate::app::App;
use crate::factors::{Authenticator, refused};

#[rstest]
#[actix_web::test]
async fn an_app_is_added_shown_and_removed_and_the_user_is_told_each_time_s120(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let begun = alice.client.post("/api/auth/factors/totp", &json!({})).await.data();
    let secret = begun["secret"].as_str().unwrap();
    assert!(begun["uri"].as_str().unwrap().contains(&format!("secret={secret}")));
    assert!(begun["qr"].as_str().unwrap().contains("<svg"));
    let confirm = async |code: String| {
        alice.client.post("/api/auth/factors/totp/confirm", &json!({ "code": code })).await
    };
    refused(&confirm("000000".into()).await);
    let listed = alice.client.get("/api/auth/factors").await.data();
    assert_eq!((&listed["totp"], &listed["methods"]), (&json!(null), &json!(["password"])));

    let authenticator = Authenticator::new(secret);
    let codes = confirm(authenticator.code(&app, 0)).await.data()["recoveryCodes"].take();
    assert_eq!(codes.as_array().unwrap().len(), 10);
    let event = app.event("auth:factor.changed", |event| event["change"] == "added").await;
    assert_eq!((&event["factor"], &event["sessionId"]), (&json!("totp"), &json!(alice.session)));
    let listed = alice.client.get("/api/auth/factors").await;
    assert!(!listed.text.contains(secret) && !listed.text.contains(codes[0].as_str().unwrap()));
    let listed = listed.data();
    assert!(listed["totp"]["createdAt"].is_string() && listed["recoveryCodes"]["left"] == 10);
    assert_eq!(listed["strength"]["acr"], "mfa");
    alice.client.post("/api/auth/factors/totp", &json!({})).await.error(StatusCode::CONFLICT, "CONFLICT");

    let replaced = alice.client.post("/api/auth/factors/recovery-codes", &json!({})).await.data();
    assert_ne!(replaced["recoveryCodes"], codes);
    app.advance(TimeDelta::seconds(30));
    let token = app.first_step(&alice).await;
    refused(&app.second_step(&token, json!({"recoveryCode": codes[0]})).await);
    let code = replaced["recoveryCodes"][0].as_str().unwrap().to_lowercase();
    app.second_step(&token, json!({"recoveryCode": code})).await.expect(StatusCode::OK);

    alice.client.delete("/api/auth/factors/totp").await.expect(StatusCode::OK);
    app.log_in("alice").await;
    let listed = alice.client.get("/api/auth/factors").await.data();
    assert_eq!((&listed["totp"], &listed["recoveryCodes"]), (&json!(null), &json!(null)));
    for (action, times) in [
        ("factor_added", 1),
        ("factor_removed", 1),
        ("recovery_codes_replaced", 1),
        ("recovery_code_used", 1),
    ] {
        assert_eq!(app.audited(&alice, action).await, times, "{action}");
    }
    app.all_mails_are_out().await;
    let mails = app.mails_to(&alice.email).await;
    for text in [
        "An authenticator app was added to the DriftSentry account alice@example.com.",
        "New recovery codes were created",
        "A recovery code of the DriftSentry account alice@example.com was used.",
        "The authenticator app was removed",
    ] {
        assert_eq!(mails.iter().filter(|mail| mail.text.contains(text)).count(), 1, "{text}");
    }
}

#[rstest]
#[actix_web::test]
async fn no_stored_value_is_a_second_factor_and_a_new_secret_keeps_the_apps_s121(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let authenticator = app.add_authenticator(&alice).await;
    let db = &app.state.database;
    let stored = totp_factor::of_user(db, alice.id).await.unwrap().unwrap();
    let code = recovery_code::Entity::find().one(db).await.unwrap().unwrap();
    let token = app.first_step(&alice).await;
    for stored in [code.code_hash, stored.secret.clone(), code.id.to_string()] {
        refused(&app.second_step(&token, json!({"recoveryCode": stored[..64.min(stored.len())]})).await);
    }

    let rotated = app
        .replica_with(&[
            "--jwt-refresh-secret=another refresh secret of the tests".into(),
            "--jwt-refresh-secret-previous=a refresh secret of the tests".into(),
        ])
        .await;
    sweep(&rotated.state).await.unwrap();
    let renewed = totp_factor::of_user(db, alice.id).await.unwrap().unwrap();
    assert_ne!(renewed.secret, stored.secret);
    let later = rotated.replica_with(&["--jwt-refresh-secret-previous=".into()]).await;
    let token = later.first_step(&alice).await;
    let code = json!({"code": authenticator.code(&later, 0)});
    later.second_step(&token, code).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn an_app_is_confirmed_in_time_or_not_at_all(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--step-up-minutes=60", "--jwt-access-expiry=2h"]).await;
    let alice = app.sign_up("alice").await;
    let begun = alice.client.post("/api/auth/factors/totp", &json!({})).await.data();
    let authenticator = Authenticator::new(begun["secret"].as_str().unwrap());
    app.advance(TimeDelta::minutes(31));
    let code = json!({"code": authenticator.code(&app, 0)});
    let late = alice.client.post("/api/auth/factors/totp/confirm", &code).await;
    late.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    app.log_in("alice").await;
}

#[rstest]
#[actix_web::test]
async fn the_factors_of_a_deleted_user_are_erased(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    app.add_authenticator(&alice).await;
    app.first_step(&alice).await;
    root.client.delete(&format!("/api/auth/users/{}", alice.id)).await.expect(StatusCode::OK);
    let db = &app.state.database;
    assert!(totp_factor::Entity::find().all(db).await.unwrap().is_empty());
    assert!(recovery_code::Entity::find().all(db).await.unwrap().is_empty());
    assert!(auth_service::login::pending::Entity::find().all(db).await.unwrap().is_empty());
}
