//! An authenticator in software, whose data a test can falsify.

use auth_service::passkey::{ChallengePurpose, request_options};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testing::{Answer, Backend, StatusCode};

use crate::app::{App, User};

pub(crate) const ORIGIN: &str = "https://drift.example.com";
const SITE: &str = "drift.example.com";

pub(crate) const PRESENT: u8 = 0x01;
pub(crate) const VERIFIED: u8 = 0x04;
pub(crate) const BACKUP_ELIGIBLE: u8 = 0x08;
pub(crate) const BACKED_UP: u8 = 0x10;
const HAS_CREDENTIAL: u8 = 0x40;

/// A passkey with the data that it sends.
pub(crate) struct SoftPasskey {
    key: EcdsaKeyPair,
    pub id: Vec<u8>,
    pub handle: String,
    pub counter: u32,
    pub origin: String,
    pub site: String,
    pub flags: u8,
}

impl SoftPasskey {
    pub(crate) fn new() -> Self {
        let mut id = vec![0; 32];
        aws_lc_rs::rand::fill(&mut id).unwrap();
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id,
            handle: String::new(),
            counter: 0,
            origin: ORIGIN.to_owned(),
            site: SITE.to_owned(),
            flags: PRESENT | VERIFIED,
        }
    }

    /// Creates a `RegistrationResponseJSON`.
    pub(crate) fn register(&mut self, options: &Value) -> Value {
        self.handle = options["user"]["id"].as_str().unwrap().to_owned();
        let client = self.client_data("webauthn.create", options);
        let mut data = self.authenticator_data(self.flags | HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        let point = self.key.public_key().as_ref()[1..].to_vec();
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[..32]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[32..]);
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        attestation.push(u8::try_from(data.len()).unwrap());
        attestation.extend(data);
        let response = json!({"clientDataJSON": encoded(client), "attestationObject": encoded(attestation)});
        self.credential(response)
    }

    /// Creates an `AuthenticationResponseJSON`, with a sign counter that rises.
    pub(crate) fn assert(&mut self, options: &Value) -> Value {
        self.counter += 1;
        self.assert_again(options)
    }

    /// Like [`assert`](Self::assert), with the same sign counter again.
    pub(crate) fn assert_again(&self, options: &Value) -> Value {
        let client = self.client_data("webauthn.get", options);
        let data = self.authenticator_data(self.flags);
        let signed = [data.as_slice(), &Sha256::digest(&client)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.credential(json!({
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
            "userHandle": self.handle,
        }))
    }

    fn credential(&self, response: Value) -> Value {
        let id = encoded(&self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response})
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let (challenge, origin) = (options["challenge"].as_str().unwrap(), &self.origin);
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#)
    }

    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        [Sha256::digest(&self.site).as_slice(), &[flags], &self.counter.to_be_bytes()].concat()
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl App {
    /// Starts the service at an address that can have passkeys.
    pub(crate) async fn with_passkeys(backend: Backend, arguments: &[&str]) -> Self {
        let address = format!("--public-url={ORIGIN}");
        Self::with(backend, &[&[address.as_str()], arguments].concat()).await
    }

    pub(crate) async fn add_passkey(&self, user: &User) -> SoftPasskey {
        let mut passkey = SoftPasskey::new();
        self.try_add(user, &mut passkey).await.expect(StatusCode::CREATED);
        passkey
    }

    pub(crate) async fn try_add(&self, user: &User, passkey: &mut SoftPasskey) -> Answer {
        let options = registration_options(user).await;
        send_registration(user, passkey.register(&options)).await
    }

    /// Returns options for a login without a password.
    pub(crate) async fn login_options(&self) -> Value {
        self.client.post("/api/auth/passkeys/login/options", &json!({})).await.data()
    }

    pub(crate) async fn log_in_with(&self, assertion: Value) -> Answer {
        self.client.post("/api/auth/passkeys/login", &json!({"assertion": assertion})).await
    }

    /// Returns options for a step-up of the user's session.
    pub(crate) async fn step_up_options(&self, user: &User) -> Value {
        request_options(&self.state, user.id, user.session, ChallengePurpose::StepUp).await.unwrap()
    }
}

pub(crate) async fn registration_options(user: &User) -> Value {
    user.client.post("/api/auth/factors/passkeys/options", &json!({})).await.data()
}

pub(crate) async fn send_registration(user: &User, registration: Value) -> Answer {
    let body = json!({"name": "Laptop", "registration": registration});
    user.client.post("/api/auth/factors/passkeys", &body).await
}

/// Asserts that a passkey was refused with the one error for everything that is wrong.
pub(crate) fn assert_wrong(answer: &Answer, field: &str) {
    let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let details = json!([{"field": field, "message": "is wrong or was used"}]);
    assert_eq!(error["details"], details, "{}", answer.text);
}
