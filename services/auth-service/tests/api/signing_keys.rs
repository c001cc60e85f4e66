//! Keys that the service creates, stores, announces and replaces itself.

use auth_service::signing_key::{entity as signing_key, replacement, rotate_keys};
use auth_service::sweeper::catch_up_or_log;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode, eventually};

use crate::app::{App, PASSWORD, User};

/// No key is configured.
const ISSUED: &str = "--jwt-access-secret=";

fn key_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "EdDSA");
    header["kid"].as_str().unwrap().to_owned()
}

async fn jwks(client: &Client) -> Vec<String> {
    let jwks = client.get("/api/auth/.well-known/jwks.json").await.expect(StatusCode::OK);
    let keys = jwks["keys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key.get("d").is_none()), "{jwks}");
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn is_accepted(app: &App, token: &str) -> bool {
    app.client.with_token(token).get("/api/auth/me").await.status == StatusCode::OK
}

async fn announced(app: &App, count: usize) {
    eventually("the keys are announced", async || {
        let keys = signing_key::all(&app.state.database).await.unwrap();
        keys.len() == count && keys.iter().all(|key| key.announced_at.is_some())
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn a_key_is_created_and_kept_encrypted_s07(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::with(backend, &[ISSUED]).await;
    let alice = app.sign_up("alice").await;
    let id = key_of(&alice.access);
    assert_eq!(jwks(&app.client).await, [id.as_str()]);
    alice.client.get("/api/auth/me").await.expect(StatusCode::OK);
    let rows = signing_key::all(&app.state.database).await.unwrap();
    let sealed = rows[0].private_key.as_ref().unwrap();
    assert_eq!((rows.len(), &rows[0].id), (1, &id));
    let stored = URL_SAFE_NO_PAD.decode(sealed).unwrap();
    let key = app.state.key_seal.open(&id, sealed).unwrap().content;
    let seed = &key[key.len() - 32..];
    assert!(!stored.windows(seed.len()).any(|part| part == seed), "the private key is stored in clear");

    let other = app.replica().await;
    let again = other.user(&other.try_log_in(&alice.email, PASSWORD).await);
    assert_eq!(key_of(&again.access), id, "replicas share the key");
}

#[rstest]
#[actix_web::test]
async fn a_key_is_replaced_in_time_and_verifies_until_its_last_token_expires_s07(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(
        backend,
        &[
            ISSUED,
            "--jwt-key-rotation=30d",
            "--session-timeout-minutes=500000",
            "--session-lifetime-hours=80000",
            "--jwt-refresh-expiry=5y",
        ],
    )
    .await;
    let alice = app.sign_up("alice").await;
    let old = key_of(&alice.access);
    announced(&app, 1).await;

    app.advance(TimeDelta::days(30));
    announced(&app, 2).await;
    let both = jwks(&app.client).await;
    assert!(both.len() == 2 && both.contains(&old), "verifiers know the next key before it signs");
    let before = app.log_in("alice").await;
    assert_eq!(key_of(&before.access), old);

    app.advance(TimeDelta::minutes(11));
    let new = eventually_signs_with_another(&app, &old).await;
    assert!(is_accepted(&app, &before.access).await, "tokens of the old key stay valid");
    let row = |id: &str, rows: &[signing_key::Model]| rows.iter().find(|row| row.id == id).cloned();
    eventually("the old private key is erased", async || {
        let rows = signing_key::all(&app.state.database).await.unwrap();
        row(&old, &rows).unwrap().private_key.is_none() && row(&new, &rows).unwrap().private_key.is_some()
    })
    .await;

    app.advance(TimeDelta::hours(1));
    eventually("the old key is deleted", async || {
        signing_key::all(&app.state.database).await.unwrap().iter().all(|row| row.id == new)
    })
    .await;
}

/// Waits until a login gets a token of another key, and returns its id.
async fn eventually_signs_with_another(app: &App, old: &str) -> String {
    let mut new = String::new();
    eventually("another key signs", async || {
        new = key_of(&app.log_in("alice").await.access);
        new != old
    })
    .await;
    new
}

#[rstest]
#[actix_web::test]
async fn a_key_verifies_as_long_as_one_of_its_service_tokens_s07() {
    let app = App::with(Backend::Memory, &[ISSUED]).await;
    let root = app.admin("root").await;
    let until = app.state.platform.clock().now() + TimeDelta::days(300);
    let body = json!({"name": "scanner", "role": "engineer", "expiresAt": until});
    let made = root.client.post("/api/auth/tokens", &body).await.expect(StatusCode::CREATED);
    let token = made["data"]["token"].as_str().unwrap().to_owned();
    let old = key_of(&token);
    announced(&app, 1).await;
    for _ in 0..3 {
        let last = async || signing_key::all(&app.state.database).await.unwrap().pop().unwrap();
        let before = last().await.number;
        app.advance(TimeDelta::days(31));
        eventually("a new key is announced", async || {
            let last = last().await;
            last.number > before && last.announced_at.is_some()
        })
        .await;
        app.advance(TimeDelta::minutes(11));
        replacement::renew(&app.state).await.unwrap();
        app.advance(TimeDelta::hours(1));
        replacement::renew(&app.state).await.unwrap();
    }
    let keys = signing_key::all(&app.state.database).await.unwrap();
    assert!(keys.iter().any(|key| key.id == old), "{keys:?}");
    assert_eq!(keys.len(), 2, "the keys in between have no token: {keys:?}");
    assert!(app.state.platform.tokens().verifier.verify(&token).is_ok());
    app.advance(TimeDelta::days(300));
    replacement::renew(&app.state).await.unwrap();
    eventually("the old key is deleted", async || {
        signing_key::all(&app.state.database).await.unwrap().iter().all(|key| key.id != old)
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn withdrawn_keys_fail_at_once_on_every_replica_s07(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[ISSUED]).await;
    let replica = app.replica().await;
    let alice = app.sign_up("alice").await;
    let old = key_of(&alice.access);
    assert!(is_accepted(&replica, &alice.access).await);
    rotate_keys::run(&app.state, true).await.unwrap();
    for app in [&app, &replica] {
        eventually("the token fails", async || !is_accepted(app, &alice.access).await).await;
        eventually("another key signs", async || {
            let answer = app.client.post("/api/auth/refresh", &json!({"refreshToken": alice.refresh})).await;
            answer.status == StatusCode::OK && key_of(answer.data()["accessToken"].as_str().unwrap()) != old
        })
        .await;
    }
    let rows = signing_key::all(&app.state.database).await.unwrap();
    assert!(rows[0].withdrawn_at.is_some() && rows[0].private_key.is_none(), "{rows:?}");
    assert!(!jwks(&replica.client).await.contains(&old));
    let restarted = app.replica().await;
    assert!(!is_accepted(&restarted, &alice.access).await, "a restart brings the key back");
}

#[rstest]
#[actix_web::test]
async fn of_replicas_that_start_at_once_one_creates_the_key(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[ISSUED, "--session-sweep-interval=1h"]).await;
    for _ in 0..10 {
        signing_key::withdraw_all(&app.state.database, app.state.platform.clock().now()).await.unwrap();
        let renewed = futures_util::future::join_all((0..4).map(|_| replacement::renew(&app.state))).await;
        assert!(renewed.iter().all(Result::is_ok), "{renewed:?}");
        let rows = signing_key::all(&app.state.database).await.unwrap();
        assert_eq!(rows.iter().filter(|row| row.withdrawn_at.is_none()).count(), 1, "{rows:?}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_new_refresh_secret_keeps_the_key_with_its_previous_one_and_replaces_it_without_s07() {
    // Each process looks at the keys only when it starts.
    let app = App::with(Backend::Memory, &[ISSUED, "--session-sweep-interval=1h"]).await;
    let alice = app.sign_up("alice").await;
    let old = key_of(&alice.access);
    announced(&app, 1).await;
    let new_secret = "--jwt-refresh-secret=another refresh secret of the tests".to_owned();
    let previous = "--jwt-refresh-secret-previous=a refresh secret of the tests".to_owned();
    let log_in = async |app: &App| -> User { app.user(&app.try_log_in(&alice.email, PASSWORD).await) };

    let rotating = app.replica_with(&[new_secret.clone(), previous]).await;
    assert_eq!(key_of(&log_in(&rotating).await.access), old);
    let rotated = app.replica_with(std::slice::from_ref(&new_secret)).await;
    assert_eq!(key_of(&log_in(&rotated).await.access), old, "the key was encrypted with the new secret");

    let leaked =
        app.replica_with(&["--jwt-refresh-secret=a third refresh secret of the tests".to_owned()]).await;
    assert_ne!(key_of(&log_in(&leaked).await.access), old);
    assert!(is_accepted(&leaked, &alice.access).await, "its tokens stay valid until they expire");
}

#[rstest]
#[actix_web::test]
async fn replicas_with_different_secrets_keep_one_key_each_s07(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &[ISSUED, "--session-sweep-interval=1h"]).await;
    let other = "--jwt-refresh-secret=another refresh secret of the tests".to_owned();
    let other = app.replica_with(&[other]).await;
    for _ in 0..5 {
        replacement::renew(&app.state).await.unwrap();
        replacement::renew(&other.state).await.unwrap();
        app.advance(TimeDelta::hours(1));
    }
    let keys = signing_key::all(&app.state.database).await.unwrap();
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert!(keys.iter().all(|key| key.private_key.is_some()), "{keys:?}");
    app.advance(TimeDelta::days(70));
    for _ in 0..3 {
        replacement::renew(&app.state).await.unwrap();
        catch_up_or_log(&app.state).await;
        app.advance(TimeDelta::hours(1));
    }
    let left = signing_key::all(&app.state.database).await.unwrap();
    assert!(left.iter().all(|key| !keys.contains(key)), "keys that nobody replaces are deleted: {left:?}");
}
