//! Tokens of the replaced stacks, in the four forms that they signed.

use super::*;

/// The access tokens in the wild, with the user, the address and the role that they give.
fn access_tokens() -> Vec<(Value, &'static str, Role)> {
    let monolith = json!({"userId": "42", "email": "a@example.com", "role": "engineer", "iss": "driftsentry", "aud": "api"});
    let socket_layer = json!({"userId": "42", "type": "access"});
    let dashboard = json!({"sub": "42"});
    let dashboard_with_email = json!({"sub": "42", "email": "a@example.com"});
    let microservice = json!({"userId": "42", "email": "a@example.com", "role": "admin"});
    let with_session = json!({"userId": "42", "email": "a@example.com", "role": "STARTER", "sessionId": "7"});
    vec![
        (monolith, "a@example.com", Role::Engineer),
        (socket_layer, "", Role::Viewer),
        (dashboard, "", Role::Viewer),
        (dashboard_with_email, "a@example.com", Role::Viewer),
        (microservice, "a@example.com", Role::Admin),
        (with_session, "a@example.com", Role::Viewer),
    ]
}

/// Signs as a replaced stack does, valid for 15 minutes.
fn old_token(mut claims: Value) -> String {
    let now = Clock::system().now().timestamp();
    (claims["iat"], claims["exp"]) = (json!(now), json!(now + 900));
    sign(&Header::new(Algorithm::HS256), &claims)
}

fn accepting() -> World {
    world(&["--jwt-access-secret", SECRET, "--jwt-accept-legacy", "true"])
}

#[test]
fn access_tokens_of_each_replaced_stack_are_valid_only_where_accepted() {
    for (claims, email, role) in access_tokens() {
        let token = old_token(claims);
        assert_eq!(hs256().verifier.verify(&token), Err(TokenError::Invalid));
        let claims = accepting().verifier.verify(&token).unwrap();
        assert_eq!((claims.sub.as_str(), claims.user_id.as_str()), ("42", "42"));
        assert_eq!((claims.email.as_str(), claims.role), (email, role));
        assert_eq!((claims.sid, claims.account_id), (None, None));
    }
}

#[test]
fn other_tokens_of_a_replaced_stack_are_refused_s02_s03() {
    let world = accepting();
    let refresh_of_the_monolith = json!({"userId": "42", "iss": "driftsentry", "aud": "api"});
    for claims in [
        refresh_of_the_monolith,
        json!({"userId": "42"}),
        json!({"userId": "42", "role": "admin"}),
        json!({"userId": "42", "email": "a@example.com"}),
        json!({"userId": "42", "type": "refresh"}),
        json!({"userId": "42", "email": "a@example.com", "role": "admin", "type": "refresh"}),
        json!({"sub": "42", "type": "refresh"}),
        json!({"userId": "", "type": "access"}),
        json!({"sub": ""}),
        json!({"email": "a@example.com", "role": "admin"}),
        json!({"userId": 42, "type": "access"}),
        json!({"sub": "42", "iss": "elsewhere"}),
        json!({"sub": "42", "aud": "elsewhere"}),
        json!({}),
    ] {
        assert_eq!(world.verifier.verify(&old_token(claims.clone())), Err(TokenError::Invalid), "{claims}");
    }
    let eternal = sign(&Header::new(Algorithm::HS256), &json!({"sub": "42", "iat": 1}));
    assert_eq!(world.verifier.verify(&eternal), Err(TokenError::Invalid), "without an end");
    let past = sign(&Header::new(Algorithm::HS256), &json!({"sub": "42", "exp": 7}));
    let at = chrono::DateTime::from_timestamp(7, 0).unwrap();
    assert_eq!(world.verifier.verify(&past), Err(TokenError::Expired { at }));
}

#[test]
fn where_old_tokens_are_accepted_our_own_still_need_every_claim_s03() {
    let world = accepting();
    for claim in ["exp", "aud", "iss", "sub", "userId", "sid", "type", "jti", "role"] {
        let without = token_with(&world, |claims| drop(claims.as_object_mut().unwrap().remove(claim)));
        assert_eq!(world.verifier.verify(&without), Err(TokenError::Invalid), "without {claim}");
    }
}

#[test]
fn an_old_secret_may_be_short_if_it_only_verifies() {
    let short = "jwt-secret";
    let token = {
        let now = Clock::system().now().timestamp();
        let claims = json!({"sub": "42", "exp": now + 900});
        let key = EncodingKey::from_secret(short.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
    };
    let previous = ["--jwt-access-secret", SECRET, "--jwt-access-secret-previous", short];
    let refused = Keys::load(&config(&previous), true).unwrap_err().to_string();
    assert!(refused.contains("JWT_ACCESS_SECRET_PREVIOUS"), "{refused}");
    let accepting = world(&[&previous[..], &["--jwt-accept-legacy", "true"]].concat());
    assert!(accepting.verifier.verify(&token).is_ok());
    let known = "your-super-secret-jwt-key-change-in-production";
    let sample = ["--jwt-access-secret-previous", known, "--jwt-accept-legacy", "true"];
    assert!(Keys::load(&config(&sample), true).is_err(), "everybody knows the secret of an example");
    let signing = ["--jwt-access-secret", short, "--jwt-accept-legacy", "true"];
    assert!(Keys::load(&config(&signing), true).is_err(), "a short secret signs");
}
