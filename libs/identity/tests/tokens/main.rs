//! Tokens that must be refused, of every kind, and the list of ended sessions.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod issued_keys;
mod revocation;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Parser;
use contracts::{AUDIENCE, Claims, Clock, Holder, ISSUER, Role};
use identity::{Follower, KeyConfig, Keys, Revocations, TokenError, Verifier};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

const SECRET: &str = "q8Xw2mTz5vLk9Rb3Nc7Yp1Hd6Gf4Js0A";
const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFdNrZ9oUl1GyPGbZRGm9D6QJ1zCBT6WC/O5gKDCbc/i\n-----END PRIVATE KEY-----\n";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    keys: KeyConfig,
}

fn config(arguments: &[&str]) -> KeyConfig {
    Cli::parse_from([&["test"], arguments].concat()).keys
}

struct World {
    clock: Clock,
    keys: Arc<Keys>,
    revocations: Revocations,
    verifier: Verifier,
}

impl World {
    fn follower(&self) -> Follower {
        let (keys, revocations) = (Arc::clone(&self.keys), self.revocations.clone());
        Follower { keys, revocations, clock: self.clock.clone() }
    }
}

fn world(arguments: &[&str]) -> World {
    let clock = Clock::system();
    let config = config(arguments);
    let keys = Arc::new(Keys::load(&config, true).unwrap());
    let revocations = Revocations::new(clock.clone(), Duration::from_secs(900));
    let verifier =
        Verifier::new(Arc::clone(&keys), revocations.clone(), clock.clone(), config.jwt_accept_legacy);
    World { clock, keys, revocations, verifier }
}

fn hs256() -> World {
    world(&["--jwt-access-secret", SECRET])
}

fn claims(clock: &Clock) -> Claims {
    let holder = Holder {
        subject: Uuid::new_v4().to_string(),
        email: "a@example.com".into(),
        role: Role::Viewer,
        account_id: None,
        generation: 1,
        session: Uuid::new_v4(),
    };
    let now = clock.now();
    Claims::access(holder, now, now + chrono::TimeDelta::minutes(15))
}

/// Signs arbitrary content, as an attacker with the secret could.
fn sign(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn header() -> Header {
    Header { typ: Some("at+jwt".into()), ..Header::new(Algorithm::HS256) }
}

/// The content of a token for the claims.
fn content(claims: &Claims) -> Value {
    let mut content = serde_json::to_value(claims).unwrap();
    (content["iss"], content["aud"]) = (json!(ISSUER), json!(AUDIENCE));
    content
}

fn token_with(world: &World, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = content(&claims(&world.clock));
    change(&mut claims);
    sign(&header(), &claims)
}

#[test]
fn a_signed_token_verifies_to_its_claims() {
    let world = hs256();
    let claims = claims(&world.clock);
    let token = world.keys.sign(&claims).unwrap();
    assert_eq!(world.verifier.verify(&token), Ok(claims));
}

#[test]
fn other_algorithms_and_keys_named_by_the_token_are_refused_s01() {
    let world = hs256();
    let claims = content(&claims(&world.clock));
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    for algorithm in ["none", "None", "RS256", "HS999"] {
        let header = json!({"alg": algorithm, "typ": "at+jwt"});
        for signature in ["", "c2ln"] {
            let token = format!("{}.{}.{signature}", encode(&header), encode(&claims));
            assert_eq!(world.verifier.verify(&token), Err(TokenError::Invalid), "{algorithm}");
        }
    }
    let url = Some("https://evil.test/keys".to_owned());
    let bad = [
        Header { jku: url.clone(), ..header() },
        Header { x5u: url, ..header() },
        Header { crit: Some(vec!["exp".into()]), ..header() },
        Header { kid: Some("../../dev/null".into()), ..header() },
        Header { alg: Algorithm::HS512, ..header() },
    ];
    for header in bad {
        assert_eq!(world.verifier.verify(&sign(&header, &claims)), Err(TokenError::Invalid), "{header:?}");
    }
}

#[test]
fn a_public_key_is_not_accepted_as_an_hmac_secret_s01() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    std::fs::write(&path, ED25519).unwrap();
    let world = world(&["--jwt-signing-key-file", path.to_str().unwrap()]);
    let jwks = serde_json::to_value(world.keys.jwks()).unwrap();
    let public = BASE64_URL_SAFE_NO_PAD.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
    let claims = content(&claims(&world.clock));
    for kid in [None, Some(jwks["keys"][0]["kid"].as_str().unwrap().to_owned())] {
        let header = Header { kid, ..header() };
        let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap();
        assert_eq!(world.verifier.verify(&token), Err(TokenError::Invalid));
    }
}

#[test]
fn each_required_claim_must_be_present_and_valid_s03() {
    let world = hs256();
    for claim in ["exp", "aud", "iss", "sub", "userId", "sid", "type", "jti", "role"] {
        let without = token_with(&world, |claims| drop(claims.as_object_mut().unwrap().remove(claim)));
        assert_eq!(world.verifier.verify(&without), Err(TokenError::Invalid), "without {claim}");
        for wrong in [json!("wrong"), json!(""), json!(null), json!(7), json!([])] {
            let with = token_with(&world, |claims| claims[claim] = wrong.clone());
            // As an expiry, 7 means seven seconds after the epoch, which is long past.
            let expected = match (claim, &wrong) {
                ("exp", Value::Number(_)) => {
                    TokenError::Expired { at: chrono::DateTime::from_timestamp(7, 0).unwrap() }
                }
                _ => TokenError::Invalid,
            };
            assert_eq!(world.verifier.verify(&with), Err(expected), "{claim}: {wrong}");
        }
    }
}

#[test]
fn another_type_or_typ_is_refused_s02() {
    let world = hs256();
    let refresh = token_with(&world, |claims| claims["type"] = json!("refresh"));
    assert_eq!(world.verifier.verify(&refresh), Err(TokenError::Invalid));
    let claims = content(&claims(&world.clock));
    for typ in [None, Some("JWT".to_owned()), Some("rt+jwt".to_owned())] {
        let token = sign(&Header { typ, ..header() }, &claims);
        assert_eq!(world.verifier.verify(&token), Err(TokenError::Invalid));
    }
}

#[test]
fn ten_seconds_of_leeway_and_no_more_s04() {
    let world = hs256();
    let now = world.clock.now().timestamp();
    let expired_by = |seconds: i64| token_with(&world, |claims| claims["exp"] = json!(now - seconds));
    assert!(world.verifier.verify(&expired_by(8)).is_ok());
    let at = chrono::DateTime::from_timestamp(now - 12, 0).unwrap();
    assert_eq!(world.verifier.verify(&expired_by(12)), Err(TokenError::Expired { at }));
    let not_before = |seconds: i64| token_with(&world, |claims| claims["nbf"] = json!(now + seconds));
    assert!(world.verifier.verify(&not_before(5)).is_ok());
    assert_eq!(world.verifier.verify(&not_before(60)), Err(TokenError::Invalid));
}

#[test]
fn text_that_is_not_a_token_is_refused_without_a_panic_s01_s55() {
    let world = hs256();
    let long = "a".repeat(5_000);
    for token in ["", ".", "..", "a.b.c", "ä.ö.ü", "Bearer x", long.as_str()] {
        assert_eq!(world.verifier.verify(token), Err(TokenError::Invalid), "{token}");
    }
    let genuine = world.keys.sign(&claims(&world.clock)).unwrap();
    let oversized = token_with(&world, |claims| claims["email"] = json!("x".repeat(5_000)));
    assert_eq!(world.verifier.verify(&oversized), Err(TokenError::Invalid));
    let (body, signature) = genuine.rsplit_once('.').unwrap();
    let forged = format!("{body}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(world.verifier.verify(&forged), Err(TokenError::Invalid));
}

#[test]
fn tokens_of_the_previous_key_stay_valid_after_a_rotation_s07() {
    let old = hs256();
    let token = old.keys.sign(&claims(&old.clock)).unwrap();
    let new_secret = "Zt7Qe1Uj5Xo9Mw3Ka8Sv2Lb6Yn0Cf4Pd";
    let rotated = world(&["--jwt-access-secret", new_secret, "--jwt-access-secret-previous", SECRET]);
    assert!(rotated.verifier.verify(&token).is_ok());
    let fresh = rotated.keys.sign(&claims(&rotated.clock)).unwrap();
    assert!(rotated.verifier.verify(&fresh).is_ok());
    assert_eq!(old.verifier.verify(&fresh), Err(TokenError::Invalid));
    let done = world(&["--jwt-access-secret", new_secret]);
    assert_eq!(done.verifier.verify(&token), Err(TokenError::Invalid));
}

#[test]
fn tokens_of_the_old_stack_are_valid_only_where_accepted() {
    let legacy = json!({"userId": "42", "email": "a@example.com", "role": "engineer", "type": "access",
        "iss": ISSUER, "aud": AUDIENCE, "iat": 1, "exp": Clock::system().now().timestamp() + 900});
    let token = sign(&Header::new(Algorithm::HS256), &legacy);
    assert_eq!(hs256().verifier.verify(&token), Err(TokenError::Invalid));
    let accepting = world(&["--jwt-access-secret", SECRET, "--jwt-accept-legacy", "true"]);
    let claims = accepting.verifier.verify(&token).unwrap();
    assert_eq!((claims.sub.as_str(), claims.role, claims.sid), ("42", Role::Engineer, None));
}

#[test]
fn weak_keys_are_refused_by_name_outside_development_s06() {
    let refused = |arguments: &[&str]| Keys::load(&config(arguments), true).unwrap_err().to_string();
    assert!(refused(&["--jwt-access-secret", "short"]).contains("JWT_ACCESS_SECRET"));
    assert!(refused(&["--jwt-signing-key-file", "missing.pem"]).contains("JWT_SIGNING_KEY_FILE"));
    assert!(Keys::load(&config(&["--jwt-access-secret", "short"]), false).is_ok());
}
