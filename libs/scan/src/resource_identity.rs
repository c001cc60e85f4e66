//! Recognises a value or a secret from one scan to the next without storing it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const HASH_BYTES: usize = 16;

/// Hashes values under the server's key. A rotated secret gets another hash, and a copy of the database is
/// not enough to test guesses of a secret.
#[derive(Clone)]
pub struct StateKey(Hmac<Sha256>);

impl StateKey {
    /// Creates the key from a secret of any length.
    pub fn new(key: &[u8]) -> Self {
        let Ok(hmac) = Hmac::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
        Self(hmac)
    }

    /// Returns the first 16 bytes of the hash of the parts, in hex.
    pub fn hash(&self, parts: &[&str]) -> String {
        hex::encode(&self.mac(parts).finalize().into_bytes()[..HASH_BYTES])
    }

    /// Whether `given` is the hash of the parts. Every wrong value takes the same time, so that a hash can be a secret.
    pub fn is_hash(&self, parts: &[&str], given: &str) -> bool {
        let mut bytes = [0; HASH_BYTES];
        hex::decode_to_slice(given, &mut bytes).is_ok()
            && self.mac(parts).verify_truncated_left(&bytes).is_ok()
    }

    fn mac(&self, parts: &[&str]) -> Hmac<Sha256> {
        let mut hmac = self.0.clone();
        for part in parts {
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part.as_bytes());
        }
        hmac
    }

    /// Returns six hex digits that distinguish hidden texts.
    pub fn tag(&self, text: &str) -> String {
        self.hash(&["tag", text])[..6].into()
    }
}

/// The identity of a resource across scans. The region is not part of it, and the account only where it is
/// needed, because both may become known later.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    pub stack: &'a str,
    pub resource_type: &'a str,
    pub resource_id: &'a str,
    pub address: &'a str,
    /// Distinguishes resources of one name that are known to be in different accounts.
    pub account: Option<&'a str>,
}

impl Identity<'_> {
    /// Returns a SHA-256 in hex. The length of each part precedes it, so that different identities never join
    /// to the same text.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let account = self.account.unwrap_or_default();
        for part in [self.stack, self.resource_type, self.resource_id, self.address, account] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fingerprint(parts: &[String; 5]) -> String {
        let [stack, resource_type, resource_id, address, account] = parts;
        Identity { stack, resource_type, resource_id, address, account: Some(account) }.fingerprint()
    }

    proptest! {
        #[test]
        fn identities_do_not_run_together(
            one in prop::array::uniform5("[ab]{0,2}"),
            other in prop::array::uniform5("[ab]{0,2}"),
        ) {
            prop_assert_eq!(one == other, fingerprint(&one) == fingerprint(&other));
        }
    }

    #[test]
    fn a_value_is_recognised_only_under_its_key() {
        let key = StateKey::new(b"one");
        assert_eq!(key.hash(&["hunter2"]), StateKey::new(b"one").hash(&["hunter2"]));
        assert_ne!(key.hash(&["hunter2"]), StateKey::new(b"two").hash(&["hunter2"]));
        assert_ne!(key.hash(&["a", "b"]), key.hash(&["ab", ""]));
    }

    #[test]
    fn only_the_whole_hash_is_accepted() {
        let key = StateKey::new(b"one");
        let hash = key.hash(&["a"]);
        assert!(key.is_hash(&["a"], &hash));
        for wrong in ["", &hash[..30], &format!("{hash}00"), &key.hash(&["b"]), "x"] {
            assert!(!key.is_hash(&["a"], wrong), "{wrong}");
        }
    }
}
