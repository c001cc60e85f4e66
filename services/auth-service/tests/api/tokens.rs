use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha256;
use testing::{Backend, StatusCode};

use crate::app::App;

const SECRET: &str = "an access secret of the tests";

/// Signs any header and claims, as anyone with the secret could.
pub(crate) fn sign(header: &Value, claims: &Value) -> String {
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(&signed).finalize();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
}

pub(crate) fn part(token: &str, nth: usize) -> Value {
    let part = token.split('.').nth(nth).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn is_in(app: &App, token: &str) -> bool {
    match app.client.with_token(token).get("/api/auth/me").await.status {
        StatusCode::OK => true,
        StatusCode::UNAUTHORIZED => false,
        status => panic!("{status}"),
    }
}

#[rstest]
#[actix_web::test]
async fn a_token_that_differs_from_ours_is_refused_s01_s02_s03_s04(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let alice = app.sign_up("alice").await;
    let (header, claims) = (part(&alice.access, 0), part(&alice.access, 1));
    assert!(is_in(&app, &sign(&header, &claims)).await, "what is refused below is so for its one change");
    let with = |part: &Value, name: &str, value: Value| {
        let mut part = part.clone();
        part[name] = value;
        part
    };
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS512")),
        ("alg", json!("RS256")),
        ("typ", json!("JWT")),
        ("kid", json!("../../dev/null")),
        ("jku", json!("https://evil.test/keys")),
        ("x5u", json!("https://evil.test/keys")),
        ("crit", json!(["exp"])),
    ] {
        assert!(!is_in(&app, &sign(&with(&header, name, value), &claims)).await, "{name}");
    }
    assert!(!is_in(&app, &sign(&header, &with(&claims, "type", json!("refresh")))).await);
    for name in ["exp", "aud", "iss", "sub", "sid", "type", "jti"] {
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove(name);
        assert!(!is_in(&app, &sign(&header, &without)).await, "without {name}");
        assert!(!is_in(&app, &sign(&header, &with(&claims, name, json!("wrong")))).await, "wrong {name}");
    }
    let now = app.state.platform.clock().now().timestamp();
    for (name, value, is_good) in
        [("exp", now - 8, true), ("exp", now - 12, false), ("nbf", now + 5, true), ("nbf", now + 30, false)]
    {
        let token = sign(&header, &with(&claims, name, json!(value)));
        assert_eq!(is_in(&app, &token).await, is_good, "{name}");
    }
}
