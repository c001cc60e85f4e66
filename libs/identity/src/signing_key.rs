use std::fmt;

use jsonwebtoken::errors::Error;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use crate::verifying_key::VerifyingKey;

/// The `typ` header of our tokens (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";

/// A key that signs access tokens.
#[derive(Clone)]
pub struct SigningKey {
    pub(crate) header: Header,
    pub(crate) key: EncodingKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.header.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads an Ed25519 private key in PKCS#8.
    ///
    /// # Errors
    /// If `der` is not such a key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        Self::from_ed25519(EncodingKey::from_ed_der(der)).map(|(signing, _)| signing)
    }

    /// Returns the id of the key (the thumbprint of RFC 7638). `None` for the shared secret.
    pub fn id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Returns the public key, as the `x` of a JWK (RFC 8037).
    ///
    /// # Errors
    /// If this is the shared secret, which has no public key.
    pub fn public_key(&self) -> Result<String, Error> {
        match Jwk::from_encoding_key(&self.key, self.header.alg)?.algorithm {
            AlgorithmParameters::OctetKeyPair(key) => Ok(key.x),
            _ => Err(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat.into()),
        }
    }

    pub(crate) fn from_secret(secret: &str) -> Self {
        Self { header: header(Algorithm::HS256, None), key: EncodingKey::from_secret(secret.as_bytes()) }
    }

    pub(crate) fn from_ed25519(key: EncodingKey) -> Result<(Self, VerifyingKey), Error> {
        let verifying = VerifyingKey::from_jwk(Jwk::from_encoding_key(&key, Algorithm::EdDSA)?)?;
        Ok((Self { header: header(Algorithm::EdDSA, verifying.id.clone()), key }, verifying))
    }
}

fn header(algorithm: Algorithm, key_id: Option<String>) -> Header {
    Header { typ: Some(TOKEN_TYPE.into()), kid: key_id, ..Header::new(algorithm) }
}
