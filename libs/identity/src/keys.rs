use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::{fmt, iter};

use chrono::{DateTime, Utc};
use contracts::Claims;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, EncodingKey, Header};
use serde::Serialize;
use tokio::sync::watch;

use crate::config::{KeyConfig, KeyError, check_secret};
use crate::signing_key::SigningKey;
use crate::verifying_key::VerifyingKey;

/// The keys of this process: at most one that signs, and those that verify. Each key has one algorithm.
///
/// The keys are either configured, or issued by auth-service: see [`are_issued`](Self::are_issued). The configured
/// ones stay the same; the issued ones change while the process runs.
pub struct Keys {
    issuer: String,
    audience: String,
    are_issued: bool,
    held: RwLock<Held>,
    /// Set when a token has named a key that this process does not know.
    unknown: AtomicBool,
    withdrawals: watch::Sender<u32>,
}

#[derive(Default)]
struct Held {
    signing: Option<SigningKey>,
    verifying: Vec<VerifyingKey>,
    /// The ids of keys that auth-service withdrew. They never come back.
    withdrawn: HashSet<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.read();
        let ids = held.verifying.iter().map(|key| (key.algorithm, &key.id)).collect::<Vec<_>>();
        f.debug_struct("Keys").field("verifying", &ids).finish_non_exhaustive()
    }
}

impl Keys {
    /// Loads the keys. `strict` (outside development) refuses weak secrets.
    ///
    /// # Errors
    /// If a key is weak, or a file contains no key.
    pub fn load(config: &KeyConfig, strict: bool) -> Result<Self, KeyError> {
        let mut held = Held::default();
        let secrets = [
            ("JWT_ACCESS_SECRET", &config.jwt_access_secret),
            ("JWT_ACCESS_SECRET_PREVIOUS", &config.jwt_access_secret_previous),
        ];
        for (variable, secret) in secrets {
            let Some(secret) = secret.as_deref().filter(|secret| !secret.is_empty()) else { continue };
            let is_old = config.jwt_accept_legacy && variable == "JWT_ACCESS_SECRET_PREVIOUS";
            match check_secret(variable, secret) {
                Err(KeyError::Short(_)) if strict && is_old => tracing::warn!(
                    "JWT_ACCESS_SECRET_PREVIOUS is short: whoever guesses it can be any user until it is removed"
                ),
                Err(error) if strict => return Err(error),
                _ => {}
            }
            if variable == "JWT_ACCESS_SECRET" {
                held.signing = Some(SigningKey::from_secret(secret));
            }
            held.verifying.push(VerifyingKey::from_secret(secret));
        }
        for path in &config.jwt_public_key_files {
            let key = DecodingKey::from_ed_pem(&read("JWT_PUBLIC_KEY_FILES", path)?);
            let key = key.and_then(|key| VerifyingKey::from_ed25519(&key));
            held.verifying.push(key.map_err(|reason| unusable("JWT_PUBLIC_KEY_FILES", path, &reason))?);
        }
        if let Some(path) = &config.jwt_signing_key_file {
            let key = EncodingKey::from_ed_pem(&read("JWT_SIGNING_KEY_FILE", path)?);
            let key = key.and_then(SigningKey::from_ed25519);
            let (signing, verifying) =
                key.map_err(|reason| unusable("JWT_SIGNING_KEY_FILE", path, &reason))?;
            held.signing = Some(signing);
            held.verifying.push(verifying);
        }
        Ok(Self {
            issuer: config.jwt_issuer.clone(),
            audience: config.jwt_audience.clone(),
            are_issued: config.keys_are_issued(),
            held: RwLock::new(held),
            unknown: AtomicBool::new(false),
            withdrawals: watch::Sender::new(0),
        })
    }

    /// Whether auth-service creates and replaces the keys, because the settings name neither a key that signs nor
    /// a public one. Only then are keys accepted that other processes announce.
    pub fn are_issued(&self) -> bool {
        self.are_issued
    }

    /// Returns the public keys, with which other programs verify (RFC 7517). Empty if there are only shared
    /// secrets.
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.read().verifying.iter().filter_map(|key| key.public.clone()).collect() }
    }

    /// Whether this process can sign.
    pub fn can_sign(&self) -> bool {
        self.read().signing.is_some()
    }

    /// Whether this process can verify any token.
    pub fn can_verify(&self) -> bool {
        !self.read().verifying.is_empty()
    }

    /// Signs an access token with the claims, as the configured issuer and for the configured audience.
    ///
    /// # Errors
    /// If this process has no key that signs.
    pub fn sign(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        let held = self.read();
        let Some(SigningKey { header, key }) = &held.signing else {
            return Err(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat.into());
        };
        jsonwebtoken::encode(header, &Issued { claims, iss: &self.issuer, aud: &self.audience }, key)
    }

    /// Signs with an issued key from now on, instead of any other issued one.
    pub fn sign_with(&self, key: SigningKey) {
        let mut held = self.write();
        if key.id().is_some_and(|id| !held.withdrawn.contains(id)) {
            held.signing = Some(key);
        }
    }

    /// Verifies with an issued public key until a time. `x` is the key as in a JWK (RFC 8037). A known key is kept
    /// until the later of both times.
    pub fn accept(&self, x: &str, until: DateTime<Utc>) -> Result<(), jsonwebtoken::errors::Error> {
        let key = VerifyingKey::issued(x, until)?;
        let mut held = self.write();
        if key.id.as_ref().is_some_and(|id| held.withdrawn.contains(id)) {
            return Ok(());
        }
        match held.verifying.iter_mut().find(|known| known.id == key.id) {
            Some(known) => known.until = known.until.max(key.until),
            None => held.verifying.push(key),
        }
        Ok(())
    }

    /// Forgets an issued key for ever. Tokens that it signed fail from now on.
    pub fn withdraw(&self, id: &str) {
        let mut held = self.write();
        if held.withdrawn.insert(id.to_owned()) {
            held.verifying.retain(|key| !(key.until.is_some() && key.id.as_deref() == Some(id)));
            held.signing.take_if(|key| key.id() == Some(id));
            drop(held);
            self.withdrawals.send_modify(|count| *count += 1);
        }
    }

    /// Returns a receiver of the number of withdrawn keys.
    pub fn withdrawals(&self) -> watch::Receiver<u32> {
        self.withdrawals.subscribe()
    }

    pub(crate) fn withdrawn(&self) -> u32 {
        *self.withdrawals.borrow()
    }

    /// Forgets the issued keys whose time is over.
    pub(crate) fn forget_outdated(&self, now: DateTime<Utc>) {
        self.write().verifying.retain(|key| key.until.is_none_or(|until| until > now));
    }

    /// Returns the claims if one of the keys signed the token for this issuer and audience. The caller checks the
    /// times and the header.
    pub(crate) fn verify(&self, token: &str, header: &Header) -> Option<Claims> {
        let held = self.read();
        let mut named = held.verifying.iter().filter(|key| key.is_named_by(header));
        let Some(first) = named.next() else {
            drop(held);
            self.unknown.store(true, Relaxed);
            return None;
        };
        iter::once(first).chain(named).find_map(|key| key.claims(token, &self.issuer, &self.audience))
    }

    /// Returns the claims of a token of a replaced stack. Only the shared secrets verify it.
    pub(crate) fn verify_legacy(&self, token: &str, header: &Header) -> Option<Claims> {
        let held = self.read();
        let mut secrets = held.verifying.iter().filter(|key| key.id.is_none() && key.is_named_by(header));
        secrets.find_map(|key| key.legacy_claims(token, &self.issuer, &self.audience))
    }

    /// Whether one of the keys signed the token, whatever it says.
    pub(crate) fn signed(&self, token: &str, header: &Header) -> bool {
        let held = self.read();
        held.verifying.iter().filter(|key| key.is_named_by(header)).any(|key| key.signed(token))
    }

    /// Whether a token has named an unknown key since the last call.
    pub(crate) fn take_unknown(&self) -> bool {
        self.unknown.swap(false, Relaxed)
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The content of a token.
#[derive(Serialize)]
struct Issued<'a> {
    #[serde(flatten)]
    claims: &'a Claims,
    iss: &'a str,
    aud: &'a str,
}

fn read(variable: &'static str, path: &Path) -> Result<Vec<u8>, KeyError> {
    std::fs::read(path).map_err(|reason| unusable(variable, path, &reason))
}

fn unusable(variable: &'static str, path: &Path, reason: &dyn fmt::Display) -> KeyError {
    KeyError::File { variable, path: path.display().to_string(), reason: reason.to_string() }
}
