use std::fmt;
use std::path::Path;

use contracts::Claims;
use jsonwebtoken::jwk::{Jwk, JwkSet, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};

use crate::config::{KeyConfig, KeyError, check_secret};

/// The `typ` header of our tokens (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";

/// The keys of this process: at most one that signs, and those that verify. Each key has one algorithm.
pub struct Keys {
    signing: Option<SigningKey>,
    pub(crate) verifying: Vec<VerifyingKey>,
}

struct SigningKey {
    header: Header,
    key: EncodingKey,
}

pub(crate) struct VerifyingKey {
    pub(crate) algorithm: Algorithm,
    /// `None` for the shared secret, whose tokens do not name a key.
    pub(crate) id: Option<String>,
    pub(crate) key: DecodingKey,
    public: Option<Jwk>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.verifying.iter().map(|key| (key.algorithm, &key.id)).collect::<Vec<_>>();
        f.debug_struct("Keys").field("verifying", &ids).finish_non_exhaustive()
    }
}

impl Keys {
    /// Loads the keys. `strict` (outside development) refuses weak secrets.
    ///
    /// # Errors
    /// If no key is given, a key is weak, or a file contains no key.
    pub fn load(config: &KeyConfig, strict: bool) -> Result<Self, KeyError> {
        let mut keys = Self { signing: None, verifying: Vec::new() };
        let secrets = [
            ("JWT_ACCESS_SECRET", &config.jwt_access_secret),
            ("JWT_ACCESS_SECRET_PREVIOUS", &config.jwt_access_secret_previous),
        ];
        for (variable, secret) in secrets {
            let Some(secret) = secret.as_deref().filter(|secret| !secret.is_empty()) else { continue };
            if strict {
                check_secret(variable, secret)?;
            }
            keys.add_secret(secret);
        }
        for path in &config.jwt_public_key_files {
            let key = DecodingKey::from_ed_pem(&read("JWT_PUBLIC_KEY_FILES", path)?);
            let jwk = key.and_then(|key| Jwk::from_decoding_key(&key, Some(Algorithm::EdDSA)));
            keys.add_public(jwk).map_err(|reason| unusable("JWT_PUBLIC_KEY_FILES", path, &reason))?;
        }
        if let Some(path) = &config.jwt_signing_key_file {
            let key = EncodingKey::from_ed_pem(&read("JWT_SIGNING_KEY_FILE", path)?)
                .map_err(|reason| unusable("JWT_SIGNING_KEY_FILE", path, &reason))?;
            let jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA);
            let id =
                keys.add_public(jwk).map_err(|reason| unusable("JWT_SIGNING_KEY_FILE", path, &reason))?;
            keys.signing = Some(SigningKey { header: header(Algorithm::EdDSA, Some(id)), key });
        }
        if keys.verifying.is_empty() { Err(KeyError::Missing) } else { Ok(keys) }
    }

    /// Returns the public keys, with which other programs verify (RFC 7517). Empty if there are only shared
    /// secrets.
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.verifying.iter().filter_map(|key| key.public.clone()).collect() }
    }

    /// Whether this process can sign.
    pub fn can_sign(&self) -> bool {
        self.signing.is_some()
    }

    /// Signs an access token with the claims.
    ///
    /// # Errors
    /// If this process has public keys only.
    pub fn sign(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        let Some(SigningKey { header, key }) = &self.signing else {
            return Err(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat.into());
        };
        jsonwebtoken::encode(header, claims, key)
    }

    /// Adds a shared secret. The first one signs; any further one only verifies.
    fn add_secret(&mut self, secret: &str) {
        if self.signing.is_none() {
            let key = EncodingKey::from_secret(secret.as_bytes());
            self.signing = Some(SigningKey { header: header(Algorithm::HS256, None), key });
        }
        let key = DecodingKey::from_secret(secret.as_bytes());
        self.verifying.push(VerifyingKey { algorithm: Algorithm::HS256, id: None, key, public: None });
    }

    fn add_public(
        &mut self,
        jwk: jsonwebtoken::errors::Result<Jwk>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let mut jwk = jwk?;
        let id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(id.clone());
        let key = DecodingKey::from_jwk(&jwk)?;
        let algorithm = Algorithm::EdDSA;
        self.verifying.push(VerifyingKey { algorithm, id: Some(id.clone()), key, public: Some(jwk) });
        Ok(id)
    }
}

fn header(algorithm: Algorithm, key_id: Option<String>) -> Header {
    Header { typ: Some(TOKEN_TYPE.into()), kid: key_id, ..Header::new(algorithm) }
}

fn read(variable: &'static str, path: &Path) -> Result<Vec<u8>, KeyError> {
    std::fs::read(path).map_err(|reason| unusable(variable, path, &reason))
}

fn unusable(variable: &'static str, path: &Path, reason: &dyn fmt::Display) -> KeyError {
    KeyError::File { variable, path: path.display().to_string(), reason: reason.to_string() }
}
