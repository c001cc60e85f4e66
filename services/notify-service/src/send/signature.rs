//! Signatures of webhooks, as <https://www.standardwebhooks.com> defines them.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderName, HeaderValue};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
const NEW_BYTES: usize = 32;
/// Lengths that Standard Webhooks allows.
const MIN_BYTES: usize = 24;
const MAX_BYTES: usize = 64;

/// The secret that signs webhooks and that a receiver checks them with.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// Creates a random secret.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn generate() -> Result<Self> {
        let mut bytes = vec![0; NEW_BYTES];
        getrandom::fill(&mut bytes).context("cannot read random bytes from the system")?;
        Ok(Self(bytes))
    }

    /// Reads a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`, with 24 to 64 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (MIN_BYTES..=MAX_BYTES).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Returns the text of the secret, for storage and for the person who creates it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        let mac = mac.chain_update(format!("{id}.{seconds}.")).chain_update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Returns the headers of a signed webhook, with one signature per secret: while a secret is replaced, a receiver can
/// check with the old or the new one.
///
/// # Panics
/// If the id contains a control character.
#[expect(clippy::expect_used, reason = "ids are written by this service")]
pub fn sign(
    secrets: &[WebhookSecret],
    id: &str,
    at: DateTime<Utc>,
    body: &[u8],
) -> [(HeaderName, HeaderValue); 3] {
    let seconds = at.timestamp();
    let signatures = secrets.iter().map(|secret| secret.sign(id, seconds, body)).collect::<Vec<_>>();
    let header = |name, text: &str| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(text).expect("the text has no control character"),
        )
    };
    [
        header("webhook-id", id),
        header("webhook-timestamp", &seconds.to_string()),
        header("webhook-signature", &signatures.join(" ")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn signed(secrets: &[WebhookSecret]) -> [String; 3] {
        let at = DateTime::from_timestamp(1_614_265_330, 999_999_999).unwrap();
        let headers = sign(secrets, ID, at, br#"{"test": 2432232314}"#);
        headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
    }

    #[test]
    fn the_published_example_has_its_signature() {
        let headers = signed(&[WebhookSecret::parse(SECRET).unwrap()]);
        let expected = [
            format!("webhook-id: {ID}"),
            "webhook-timestamp: 1614265330".to_owned(),
            format!("webhook-signature: {SIGNATURE}"),
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn each_secret_signs_while_one_replaces_the_other() {
        let new = WebhookSecret::generate().unwrap();
        let [_, _, alone] = signed(std::slice::from_ref(&new));
        let [_, _, both] = signed(&[new, WebhookSecret::parse(SECRET).unwrap()]);
        assert_eq!(both, format!("{alone} {SIGNATURE}"));
    }

    #[test]
    fn secrets_are_random_and_read_back() {
        let [a, b] = [(); 2].map(|()| WebhookSecret::generate().unwrap().reveal());
        assert_ne!(a, b);
        assert_eq!(WebhookSecret::parse(&a).unwrap().reveal(), a);
        assert_eq!(WebhookSecret::parse(SECRET).unwrap().reveal(), SECRET);
    }

    #[test]
    fn other_texts_are_no_secrets() {
        let of_length = |length| format!("{PREFIX}{}", STANDARD.encode(vec![7; length]));
        for text in ["", "whsec_", "whsec_####", &SECRET[6..], "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(WebhookSecret::parse(text).is_none(), "{text}");
        }
        for (length, is_accepted) in [(23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(WebhookSecret::parse(&of_length(length)).is_some(), is_accepted, "{length}");
        }
    }
}
