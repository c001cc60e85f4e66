//! Keys that auth-service issues and announces.

use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use identity::{SigningKey, key_mark, withdrawn_key_mark};
use rstest::rstest;
use testing::Backend;

use super::*;
use crate::revocation::{Following, following_with};

/// The private key of [`ED25519`], as auth-service stores it.
fn issued() -> SigningKey {
    let base64 = ED25519.lines().find(|line| !line.starts_with("---")).unwrap();
    SigningKey::from_pkcs8(&BASE64_STANDARD.decode(base64).unwrap()).unwrap()
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn an_announced_key_verifies_until_it_is_withdrawn_s07(#[case] backend: Backend) {
    let Following { world, backplane, .. } = &following_with(backend, &[]).await;
    assert!(!world.keys.can_verify() && !world.keys.can_sign());
    let issuer = super::world(&[]);
    issuer.keys.sign_with(issued());
    let token = issuer.keys.sign(&claims(&world.clock)).unwrap();
    assert_eq!(world.verifier.verify(&token), Err(TokenError::Invalid));
    let until = world.clock.now() + TimeDelta::days(1);
    let (mark, id) = (key_mark(&issued().public_key().unwrap(), until), issued().id().unwrap().to_owned());
    backplane.marks.add(std::slice::from_ref(&mark)).await.unwrap();
    testing::eventually("the key is known", async || world.verifier.verify(&token).is_ok()).await;
    let jwks = serde_json::to_value(world.keys.jwks()).unwrap();
    assert_eq!(jwks["keys"][0]["kid"], json!(id));
    assert!(jwks["keys"][0].get("d").is_none(), "{jwks}");
    backplane.marks.add(&[withdrawn_key_mark(&id, until)]).await.unwrap();
    testing::eventually("the key is withdrawn", async || !world.keys.can_verify()).await;
    world.keys.accept(&issued().public_key().unwrap(), until).unwrap();
    world.keys.sign_with(issued());
    assert_eq!(world.verifier.verify(&token), Err(TokenError::Invalid), "a withdrawn key comes back");
    assert!(!world.keys.can_sign(), "a withdrawn key signs");
}

#[tokio::test]
async fn a_key_whose_announcement_was_missed_is_looked_up_when_a_token_names_it_s07() {
    let Following { world, stores, .. } = &following_with(Backend::Real, &[]).await;
    let issuer = super::world(&[]);
    issuer.keys.sign_with(issued());
    let token = issuer.keys.sign(&claims(&world.clock)).unwrap();
    // The mark is there, but nobody is told.
    let until = world.clock.now() + TimeDelta::days(1);
    let score = until.timestamp_millis().to_string();
    let mark = key_mark(&issued().public_key().unwrap(), until).value;
    stores.redis().command(&["ZADD", "{driftsentry}:marks", &score, &mark]).await;
    testing::eventually("the key is known", async || world.verifier.verify(&token).is_ok()).await;
}

#[tokio::test]
async fn a_process_with_a_configured_key_ignores_announced_ones_s01() {
    for arguments in
        [["--jwt-access-secret", SECRET], ["--jwt-public-key-files", "tests/tokens/other.pub.pem"]]
    {
        let Following { world, backplane, .. } = &following_with(Backend::Memory, &arguments).await;
        let issuer = super::world(&[]);
        issuer.keys.sign_with(issued());
        let token = issuer.keys.sign(&claims(&world.clock)).unwrap();
        let until = world.clock.now() + TimeDelta::days(1);
        let session = Uuid::new_v4();
        let marks = [
            key_mark(&issued().public_key().unwrap(), until),
            identity::session_mark(session, contracts::events::auth::EndReason::Admin, until),
        ];
        backplane.marks.add(&marks).await.unwrap();
        testing::eventually("the marks are read", async || world.revocations.ended(session).is_some()).await;
        assert_eq!(world.verifier.verify(&token), Err(TokenError::Invalid));
    }
}

#[tokio::test]
async fn a_mark_that_is_no_key_changes_nothing_s01() {
    let Following { world, backplane, .. } = &following_with(Backend::Memory, &[]).await;
    let until = world.clock.now() + TimeDelta::days(1);
    let session = Uuid::new_v4();
    let mut marks = ["", "AA", "not base64 !", &"A".repeat(43)].map(|x| key_mark(x, until)).to_vec();
    marks.push(identity::session_mark(session, contracts::events::auth::EndReason::Admin, until));
    backplane.marks.add(&marks).await.unwrap();
    testing::eventually("the marks are read", async || world.revocations.ended(session).is_some()).await;
    let token = sign(&header(), &content(&claims(&world.clock)));
    assert_eq!(world.verifier.verify(&token), Err(TokenError::Invalid));
}

#[test]
fn the_issuer_and_the_audience_are_configurable_and_checked_s03() {
    let (acme, other) = (["--jwt-issuer", "https://id.acme.test"], ["--jwt-audience", "acme-tools"]);
    let secret = ["--jwt-access-secret", SECRET];
    let here = super::world(&[secret, acme].concat());
    let token = here.keys.sign(&claims(&here.clock)).unwrap();
    assert!(here.verifier.verify(&token).is_ok());
    for elsewhere in [secret.to_vec(), [secret, other].concat(), [secret, acme, other].concat()] {
        assert_eq!(super::world(&elsewhere).verifier.verify(&token), Err(TokenError::Invalid));
    }
}
