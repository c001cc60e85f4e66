use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Encrypts what a database keeps but a copy of it must not reveal: AES-256-GCM with a key derived from a secret of the
/// environment. Encrypts with the main secret, and decrypts with the main or the previous one.
#[derive(Clone)]
pub struct Seal {
    main: [u8; 32],
    previous: Option<[u8; 32]>,
}

/// The content cannot be encrypted or decrypted with these secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored content cannot be decrypted with this secret or the previous one")]
pub struct Unreadable;

/// Decrypted content.
pub struct Opened {
    pub content: Vec<u8>,
    /// Whether the previous secret decrypted it.
    pub is_outdated: bool,
}

impl Seal {
    /// Derives the keys. `purpose` separates uses of the same secret.
    pub fn new(purpose: &str, secret: &str, previous: Option<&str>) -> Self {
        let derived = |secret| derived(purpose, secret);
        Self { main: derived(secret), previous: previous.map(derived) }
    }

    /// Encrypts content. `id` is authenticated with it, so that rows cannot be exchanged.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn close(&self, id: &str, content: &[u8]) -> Result<String, Unreadable> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.main).map_err(|_unspecified| Unreadable)?;
        let mut content = content.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(id.as_bytes()), &mut content)
            .map_err(|_unspecified| Unreadable)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &content].concat()))
    }

    /// Decrypts content.
    ///
    /// # Errors
    /// If neither secret fits, the id is another one, or the text was changed.
    pub fn open(&self, id: &str, sealed: &str) -> Result<Opened, Unreadable> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_error| Unreadable)?;
        let (nonce, content) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Unreadable)?;
        let opened_with = |key: &[u8; 32]| {
            let key = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
            let mut content = content.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            Some(key.open_in_place(nonce, Aad::from(id.as_bytes()), &mut content).ok()?.to_vec())
        };
        if let Some(content) = opened_with(&self.main) {
            return Ok(Opened { content, is_outdated: false });
        }
        let content = self.previous.as_ref().and_then(opened_with).ok_or(Unreadable)?;
        Ok(Opened { content, is_outdated: true })
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn derived(purpose: &str, secret: &str) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.chain_update(purpose).chain_update(b"\0").finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_content_opens_with_its_purpose_its_secret_and_its_id_only() {
        let (old, key) = (Seal::new("keys", "old", None), b"private".as_slice());
        let sealed = old.close("a", key).unwrap();
        assert_ne!(sealed, old.close("a", key).unwrap(), "each nonce is new");
        let opened = old.open("a", &sealed).unwrap();
        assert_eq!((opened.content.as_slice(), opened.is_outdated), (key, false));
        let rotated = Seal::new("keys", "new", Some("old")).open("a", &sealed).unwrap();
        assert_eq!((rotated.content.as_slice(), rotated.is_outdated), (key, true));
        let flipped = sealed.chars().rev().collect::<String>();
        for (seal, id, sealed) in [
            (Seal::new("keys", "new", None), "a", sealed.as_str()),
            (Seal::new("other", "old", None), "a", &sealed),
            (old.clone(), "b", &sealed),
            (old.clone(), "a", &flipped),
            (old.clone(), "a", ""),
            (old.clone(), "a", "AAAA"),
        ] {
            assert!(seal.open(id, sealed).is_err(), "{id}");
        }
    }
}
