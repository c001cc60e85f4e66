use auth_service::passkey::challenge;
use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use testing::{Backend, StatusCode, eventually};
use uuid::Uuid;

use crate::app::App;
use crate::soft_passkey::{BACKED_UP, BACKUP_ELIGIBLE, SoftPasskey, assert_wrong, registration_options};

#[rstest]
#[actix_web::test]
async fn a_passkey_is_added_and_logs_in_without_a_password(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with_passkeys(backend, &[]).await;
    assert_eq!(app.client.get("/api/auth/config").await.data()["passkeys"], true);
    let alice = app.sign_up("alice").await;
    let options = registration_options(&alice).await;
    assert_eq!(options["rp"], json!({"id": "drift.example.com", "name": "DriftSentry"}));
    assert_eq!(options["user"]["name"], alice.email);
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    // No extension that authenticators may lack.
    assert_eq!(options["extensions"], json!({}));
    // 64 random bytes, which are the same for all passkeys of a user.
    let handle = options["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(handle.len(), 86);

    let mut passkey = SoftPasskey::new();
    passkey.flags |= BACKUP_ELIGIBLE | BACKED_UP;
    let added = app.try_add(&alice, &mut passkey).await.expect(StatusCode::CREATED);
    assert_eq!(passkey.handle, handle);
    assert_eq!(added["data"]["recoveryCodes"].as_array().unwrap().len(), 10);
    assert_eq!(added["data"]["passkey"]["backedUp"], true);
    let excluded = registration_options(&alice).await["excludeCredentials"].clone();
    assert_eq!(excluded.as_array().unwrap().len(), 1);

    let options = app.login_options().await;
    assert_eq!(
        (&options["allowCredentials"], &options["userVerification"]),
        (&json!([]), &json!("required"))
    );
    let assertion = passkey.assert(&options);
    let entered = app.log_in_with(assertion.clone()).await;
    let entered = app.user(&entered);
    assert!(entered.id == alice.id && entered.session != alice.session && entered.is_in().await);
    assert_wrong(&app.log_in_with(assertion).await, "assertion");
    let factors = entered.client.get("/api/auth/factors").await.data();
    assert_eq!(factors["strength"]["acr"], "phr");
    assert_eq!(factors["strength"]["amr"], json!(["pop", "user"]));
    assert_eq!(factors["passkeys"][0]["name"], "Laptop");
    assert!(!factors["passkeys"][0]["lastUsedAt"].is_null());
    assert_eq!(app.audited(&alice, "factor_added").await, 1);
}

#[rstest]
#[actix_web::test]
async fn of_many_logins_with_one_assertion_one_succeeds(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with_passkeys(backend, &["--login-failures-per-account=1000"]).await;
    let alice = app.sign_up("alice").await;
    let mut passkey = app.add_passkey(&alice).await;
    let assertion = passkey.assert(&app.login_options().await);
    let answers = join_all((0..20).map(|_| app.log_in_with(assertion.clone()))).await;
    let (right, wrong): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(right.len(), 1);
    wrong.into_iter().for_each(|answer| assert_wrong(answer, "assertion"));
}

#[rstest]
#[actix_web::test]
async fn a_passkey_steps_a_session_up(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with_passkeys(backend, &[]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let mut passkey = app.add_passkey(&alice).await;
    app.add_passkey(&bob).await;
    app.advance(TimeDelta::minutes(6));
    let options = app.step_up_options(&alice).await;
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
    let assertion = json!({"assertion": passkey.assert(&options)});
    // The challenge belongs to the session of alice.
    assert_wrong(&bob.client.post("/api/auth/step-up", &assertion).await, "assertion");
    let raised = alice.client.post("/api/auth/step-up", &assertion).await.data();
    assert_eq!(raised["acr"], "phr");
    assert!(!raised["freshUntil"].is_null());
    // A challenge of a login serves no step-up.
    let foreign = json!({"assertion": passkey.assert(&app.login_options().await)});
    assert_wrong(&alice.client.post("/api/auth/step-up", &foreign).await, "assertion");
}

#[rstest]
#[actix_web::test]
async fn passkeys_are_renamed_and_removed(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with_passkeys(backend, &[]).await;
    let (alice, bob) = (app.sign_up("alice").await, app.sign_up("bob").await);
    let mut passkey = app.add_passkey(&alice).await;
    let id = alice.client.get("/api/auth/factors").await.data()["passkeys"][0]["id"].clone();
    let path = format!("/api/auth/factors/passkeys/{}", id.as_str().unwrap());
    for refused in [json!({"name": ""}), json!({"name": "a".repeat(101)}), json!({"name": "a\nb"})] {
        let answer = alice.client.patch(&path, &refused).await;
        answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
    assert_eq!(alice.client.patch(&path, &json!({"name": "Key"})).await.data()["name"], "Key");
    bob.client.patch(&path, &json!({"name": "Mine"})).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    bob.client.delete(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    alice.client.delete(&path).await.expect(StatusCode::OK);
    alice.client.delete(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_wrong(&app.log_in_with(passkey.assert(&app.login_options().await)).await, "assertion");
    assert_eq!(app.audited(&alice, "factor_removed").await, 1);
    // The password is enough again.
    app.log_in("alice").await;
}

#[rstest]
#[actix_web::test]
async fn a_user_has_at_most_20_passkeys(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with_passkeys(backend, &[]).await;
    let alice = app.sign_up("alice").await;
    let mut last = SoftPasskey::new();
    let waiting = last.register(&registration_options(&alice).await);
    for _ in 0..20 {
        app.add_passkey(&alice).await;
    }
    let answer = alice.client.post("/api/auth/factors/passkeys/options", &json!({})).await;
    answer.error(StatusCode::CONFLICT, "CONFLICT");
    let answer = crate::soft_passkey::send_registration(&alice, waiting).await;
    answer.error(StatusCode::CONFLICT, "CONFLICT");
}

#[rstest]
#[actix_web::test]
async fn challenges_expire_and_are_deleted(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with_passkeys(backend, &["--session-sweep-interval=1h"]).await;
    let alice = app.sign_up("alice").await;
    let mut passkey = app.add_passkey(&alice).await;
    let options = app.login_options().await;
    app.advance(TimeDelta::minutes(5));
    assert_wrong(&app.log_in_with(passkey.assert(&options)).await, "assertion");
    let replica = app.replica_with(&["--session-sweep-interval=50ms".to_owned()]).await;
    eventually("the challenges are deleted", async || {
        challenge::Entity::find().count(&replica.state.database).await.unwrap() == 0
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn an_address_without_a_name_has_no_passkeys(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--public-url=https://192.0.2.1"]).await;
    let alice = app.sign_up("alice").await;
    assert_eq!(app.client.get("/api/auth/config").await.data()["passkeys"], false);
    let id = Uuid::new_v4().to_string();
    let registration = json!({"name": "Laptop", "registration": {}});
    for (client, path, body) in [
        (&app.client, "/passkeys/login/options", Value::Null),
        (&app.client, "/passkeys/login", json!({"assertion": {"id": id}})),
        (&alice.client, "/factors/passkeys/options", Value::Null),
        (&alice.client, "/factors/passkeys", registration),
    ] {
        let error = client.post(&format!("/api/auth{path}"), &body).await;
        let error = error.error(StatusCode::FORBIDDEN, "FORBIDDEN");
        assert!(error["message"].as_str().unwrap().contains("PUBLIC_URL"), "{error}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_deleted_user_leaves_no_passkey(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with_passkeys(backend, &[]).await;
    let (root, alice) = (app.admin("root").await, app.sign_up("alice").await);
    let mut passkey = app.add_passkey(&alice).await;
    root.client.delete(&format!("/api/auth/users/{}", alice.id)).await.expect(StatusCode::OK);
    assert_eq!(auth_service::passkey::entity::count_of(&app.state.database, alice.id).await.unwrap(), 0);
    assert_wrong(&app.log_in_with(passkey.assert(&app.login_options().await)).await, "assertion");
}
