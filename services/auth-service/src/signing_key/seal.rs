//! The encryption of private keys in the database: AES-256-GCM with a key derived from `JWT_REFRESH_SECRET`. A copy
//! of the database alone therefore signs no token.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;

use crate::token::refresh_token::keyed;

/// Encrypts with the main secret, and decrypts with the main or the previous one.
#[derive(Clone)]
pub struct Seal {
    main: [u8; 32],
    previous: Option<[u8; 32]>,
}

/// The content cannot be encrypted or decrypted with these secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the private key cannot be decrypted with JWT_REFRESH_SECRET or JWT_REFRESH_SECRET_PREVIOUS")]
pub struct Unreadable;

/// A decrypted private key.
pub struct Opened {
    pub pkcs8: Vec<u8>,
    /// Whether the previous secret decrypted it.
    pub is_outdated: bool,
}

impl Seal {
    pub fn new(secret: &str, previous: Option<&str>) -> Self {
        Self { main: derived(secret), previous: previous.map(derived) }
    }

    /// Encrypts a private key. `id` is authenticated with it, so that rows cannot be exchanged.
    pub fn close(&self, id: &str, pkcs8: &[u8]) -> Result<String, Unreadable> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.main).map_err(|_unspecified| Unreadable)?;
        let mut content = pkcs8.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(id.as_bytes()), &mut content)
            .map_err(|_unspecified| Unreadable)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &content].concat()))
    }

    /// Decrypts a private key.
    pub fn open(&self, id: &str, sealed: &str) -> Result<Opened, Unreadable> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_error| Unreadable)?;
        let (nonce, content) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Unreadable)?;
        let opened_with = |key: &[u8; 32]| {
            let key = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
            let mut content = content.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            Some(key.open_in_place(nonce, Aad::from(id.as_bytes()), &mut content).ok()?.to_vec())
        };
        if let Some(pkcs8) = opened_with(&self.main) {
            return Ok(Opened { pkcs8, is_outdated: false });
        }
        let pkcs8 = self.previous.as_ref().and_then(opened_with).ok_or(Unreadable)?;
        Ok(Opened { pkcs8, is_outdated: true })
    }
}

fn derived(secret: &str) -> [u8; 32] {
    keyed(secret.as_bytes()).chain_update(b"signing keys\0").finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_key_opens_with_its_secret_and_its_id_only() {
        let (old, key) = (Seal::new("old", None), b"private".as_slice());
        let sealed = old.close("a", key).unwrap();
        assert_ne!(sealed, old.close("a", key).unwrap(), "each nonce is new");
        let opened = old.open("a", &sealed).unwrap();
        assert_eq!((opened.pkcs8.as_slice(), opened.is_outdated), (key, false));
        let rotated = Seal::new("new", Some("old")).open("a", &sealed).unwrap();
        assert_eq!((rotated.pkcs8.as_slice(), rotated.is_outdated), (key, true));
        let flipped = sealed.chars().rev().collect::<String>();
        for (seal, id, sealed) in [
            (Seal::new("new", None), "a", sealed.as_str()),
            (old.clone(), "b", &sealed),
            (old.clone(), "a", &flipped),
            (old.clone(), "a", ""),
            (old.clone(), "a", "AAAA"),
        ] {
            assert!(seal.open(id, sealed).is_err(), "{id}");
        }
    }
}
