//! Two identities: of the drifting resource, and of the state it was seen in.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::scan::json::Json;

/// What makes two sightings the same drift.
pub struct Identity<'a> {
    pub account_id: Option<&'a str>,
    pub stack: &'a str,
    pub resource_type: &'a str,
    pub resource_id: &'a str,
    pub region: &'a str,
}

impl Identity<'_> {
    /// SHA-256 in hex. Each part is preceded by its length, so that no two identities run together.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let account_id = self.account_id.unwrap_or_default();
        for part in [account_id, self.stack, self.resource_type, self.resource_id, self.region] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }
}

/// Identifies raw states without storing them: a rotated secret is another state, and nobody who has
/// only the database can try secrets against it.
#[derive(Clone)]
pub struct StateKey(Hmac<Sha256>);

impl StateKey {
    pub fn new(key: &[u8]) -> Self {
        let Ok(hmac) = Hmac::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
        Self(hmac)
    }

    /// The identity, in hex, of an actual state; `None` is a resource that is gone.
    pub fn identify(&self, actual: Option<&Json>) -> String {
        let mut hmac = self.0.clone();
        hmac.update(actual.unwrap_or(&Json::Null).to_unordered_text().as_bytes());
        hex(&hmac.finalize().into_bytes())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identity(parts: &[String; 5]) -> String {
        let [account_id, stack, resource_type, resource_id, region] = parts;
        Identity { account_id: Some(account_id), stack, resource_type, resource_id, region }.fingerprint()
    }

    proptest! {
        #[test]
        fn identities_do_not_run_together(one in prop::array::uniform5("[ab]{0,2}"), other in prop::array::uniform5("[ab]{0,2}")) {
            prop_assert_eq!(one == other, identity(&one) == identity(&other));
        }
    }

    #[test]
    fn the_state_is_identified_under_the_key() {
        let state = Json::String("hunter2".into());
        let key = StateKey::new(b"one");
        assert_eq!(key.identify(Some(&state)), StateKey::new(b"one").identify(Some(&state)));
        assert_ne!(key.identify(Some(&state)), StateKey::new(b"two").identify(Some(&state)));
        assert_ne!(key.identify(Some(&state)), key.identify(None));
    }
}
