//! Refresh tokens: `version ‖ session id ‖ counter ‖ MAC`, in base64url, opaque to clients.
//!
//! The key of the MAC is derived per session from `JWT_REFRESH_SECRET`. No credential is therefore stored,
//! and concurrent requests for the successor of a token compute the same one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

const VERSION: u8 = 1;
const MAC_BYTES: usize = 32;
const SIGNED_BYTES: usize = 1 + 16 + 4;
const TOKEN_BYTES: usize = SIGNED_BYTES + MAC_BYTES;
const TOKEN_CHARS: usize = (TOKEN_BYTES * 4).div_ceil(3);

/// Issues and reads refresh tokens.
#[derive(Clone)]
pub struct RefreshTokens {
    secret: Hmac<Sha256>,
    /// The previous secret, which verifies existing tokens and issues none.
    previous: Option<Hmac<Sha256>>,
}

/// The content of a genuine refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub session_id: Uuid,
    /// 0 at login, one more with each rotation.
    pub counter: u32,
}

/// Not a token of this service: its form, its version or its MAC is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token of this service")]
pub struct NotGenuine;

impl RefreshTokens {
    pub fn new(secret: &str, previous: Option<&str>) -> Self {
        Self { secret: keyed(secret.as_bytes()), previous: previous.map(|secret| keyed(secret.as_bytes())) }
    }

    pub fn issue(&self, token: RefreshToken) -> String {
        let signed = signed_part(token);
        let mac = mac(&self.secret, token.session_id, &signed).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([signed.as_slice(), mac.as_slice()].concat())
    }

    /// Reads a token after checking its MAC in constant time.
    pub fn read(&self, text: &str) -> Result<RefreshToken, NotGenuine> {
        if text.len() != TOKEN_CHARS {
            return Err(NotGenuine);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_error| NotGenuine)?;
        let (signed, sent) = bytes.split_at_checked(SIGNED_BYTES).ok_or(NotGenuine)?;
        let (version, rest) = signed.split_first().ok_or(NotGenuine)?;
        let (session_id, counter) = rest.split_first_chunk().ok_or(NotGenuine)?;
        let token = RefreshToken {
            session_id: Uuid::from_bytes(*session_id),
            counter: u32::from_be_bytes(counter.try_into().map_err(|_error| NotGenuine)?),
        };
        let made_with = |secret| mac(secret, token.session_id, signed).verify_slice(sent).is_ok();
        let is_genuine = made_with(&self.secret) || self.previous.as_ref().is_some_and(made_with);
        if is_genuine && *version == VERSION { Ok(token) } else { Err(NotGenuine) }
    }

    /// The value of the `sessionToken` column: unique to the session, and not a credential.
    pub fn fingerprint(&self, session_id: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(mac(&self.secret, session_id, b"fingerprint").finalize().into_bytes())
    }
}

/// The MAC of a message under the session's own key.
fn mac(secret: &Hmac<Sha256>, session_id: Uuid, message: &[u8]) -> Hmac<Sha256> {
    let session_key = secret.clone().chain_update(b"refresh\0").chain_update(session_id);
    keyed(&session_key.finalize().into_bytes()).chain_update(message)
}

fn signed_part(token: RefreshToken) -> [u8; SIGNED_BYTES] {
    let mut signed = [VERSION; SIGNED_BYTES];
    signed[1..17].copy_from_slice(token.session_id.as_bytes());
    signed[17..].copy_from_slice(&token.counter.to_be_bytes());
    signed
}

/// Starts the MAC of a message under a key.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens() -> RefreshTokens {
        RefreshTokens::new("a secret of at least 32 bytes, for tests", None)
    }

    fn any_token() -> impl Strategy<Value = RefreshToken> {
        (any::<u128>(), any::<u32>())
            .prop_map(|(id, counter)| RefreshToken { session_id: Uuid::from_u128(id), counter })
    }

    proptest! {
        #[test]
        fn an_issued_token_is_read_back(token in any_token()) {
            prop_assert_eq!(tokens().read(&tokens().issue(token)), Ok(token));
        }

        #[test]
        fn issuing_a_token_twice_yields_the_same_text_s10(token in any_token()) {
            prop_assert_eq!(tokens().issue(token), tokens().issue(token));
        }

        #[test]
        fn no_bit_can_be_changed(token in any_token(), bit in 0..TOKEN_BYTES * 8) {
            let mut bytes = URL_SAFE_NO_PAD.decode(tokens().issue(token)).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(tokens().read(&URL_SAFE_NO_PAD.encode(bytes)), Err(NotGenuine));
        }

        #[test]
        fn reading_any_text_never_panics_s55(text in ".{0,100}", same_length in "[A-Za-z0-9_-]{71}") {
            prop_assert_eq!(tokens().read(&text), Err(NotGenuine));
            prop_assert_eq!(tokens().read(&same_length), Err(NotGenuine));
        }
    }

    #[test]
    fn the_previous_secret_still_verifies_and_issues_nothing_s07() {
        let token = RefreshToken { session_id: Uuid::from_u128(7), counter: 3 };
        let (old, new) = (RefreshTokens::new("old", None), RefreshTokens::new("new", Some("old")));
        assert_eq!(new.read(&old.issue(token)), Ok(token));
        assert_eq!(old.read(&new.issue(token)), Err(NotGenuine));
    }

    #[test]
    fn another_secret_verifies_nothing() {
        let token = tokens().issue(RefreshToken { session_id: Uuid::nil(), counter: 0 });
        assert_eq!(token.len(), TOKEN_CHARS);
        assert_eq!(RefreshTokens::new("another secret", None).read(&token), Err(NotGenuine));
    }

    #[test]
    fn a_fingerprint_is_not_a_token_s08() {
        let session = Uuid::from_u128(7);
        let fingerprint = tokens().fingerprint(session);
        assert_ne!(fingerprint, tokens().fingerprint(Uuid::from_u128(8)));
        assert_eq!(tokens().read(&fingerprint), Err(NotGenuine));
    }
}
