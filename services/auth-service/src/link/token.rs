//! One-time links: `version ‖ id ‖ MAC`, in base64url, and the six-digit codes beside them.
//!
//! Token and code are derived from the id of the row and `JWT_REFRESH_SECRET`, so that no row holds a
//! credential.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::link::refusal::LinkRefusal;
use crate::token::refresh_token::keyed;

const VERSION: u8 = 1;
const SIGNED_BYTES: usize = 1 + 16;
const MAC_BYTES: usize = 32;
const TOKEN_CHARS: usize = ((SIGNED_BYTES + MAC_BYTES) * 4).div_ceil(3);
const CODES: u64 = 1_000_000;

/// Issues and reads the tokens and the codes of one-time links.
#[derive(Clone)]
pub struct LinkTokens {
    secret: Hmac<Sha256>,
    /// The previous secret, whose links are accepted while the secret is rotated.
    previous: Option<Hmac<Sha256>>,
}

impl LinkTokens {
    pub fn new(secret: &str, previous: Option<&str>) -> Self {
        Self { secret: keyed(secret.as_bytes()), previous: previous.map(|secret| keyed(secret.as_bytes())) }
    }

    pub fn issue(&self, id: Uuid) -> String {
        let signed = signed_part(id);
        let mac = mac(&self.secret, b"link\0", &signed).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([signed.as_slice(), mac.as_slice()].concat())
    }

    /// Returns the id of a link after checking the MAC in constant time.
    pub fn read(&self, text: &str) -> Result<Uuid, LinkRefusal> {
        if text.len() != TOKEN_CHARS {
            return Err(LinkRefusal::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_error| LinkRefusal::Malformed)?;
        let (signed, sent) = bytes.split_at_checked(SIGNED_BYTES).ok_or(LinkRefusal::Malformed)?;
        let id = signed.first_chunk::<SIGNED_BYTES>().ok_or(LinkRefusal::Malformed)?;
        let [version, id @ ..] = id;
        let made_with = |secret| mac(secret, b"link\0", signed).verify_slice(sent).is_ok();
        let is_genuine = made_with(&self.secret) || self.previous.as_ref().is_some_and(made_with);
        if is_genuine && *version == VERSION { Ok(Uuid::from_bytes(*id)) } else { Err(LinkRefusal::Foreign) }
    }

    /// The six digits that stand for the link on another device.
    pub fn code(&self, id: Uuid) -> String {
        code(&self.secret, id)
    }

    /// Whether these are the digits of the link. The caller bounds the number of guesses.
    pub fn is_code(&self, id: Uuid, typed: &str) -> bool {
        let digits = typed.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let matches = |secret| code(secret, id) == digits;
        matches(&self.secret) || self.previous.as_ref().is_some_and(matches)
    }
}

fn mac(secret: &Hmac<Sha256>, kind: &[u8], message: &[u8]) -> Hmac<Sha256> {
    secret.clone().chain_update(kind).chain_update(message)
}

fn code(secret: &Hmac<Sha256>, id: Uuid) -> String {
    let bytes = mac(secret, b"link code\0", id.as_bytes()).finalize().into_bytes();
    let number = bytes.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{:06}", number % CODES)
}

fn signed_part(id: Uuid) -> [u8; SIGNED_BYTES] {
    let mut signed = [VERSION; SIGNED_BYTES];
    signed[1..].copy_from_slice(id.as_bytes());
    signed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(secret: &str, previous: Option<&str>) -> LinkTokens {
        LinkTokens::new(secret, previous)
    }

    proptest! {
        #[test]
        fn an_issued_link_is_read_back_and_any_change_is_refused(id in any::<u128>(), at in 0..TOKEN_CHARS) {
            let (id, tokens) = (Uuid::from_u128(id), tokens("one", None));
            let token = tokens.issue(id);
            prop_assert_eq!(tokens.read(&token), Ok(id));
            let mut changed = token.into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            prop_assert!(tokens.read(std::str::from_utf8(&changed).unwrap()).is_err());
        }
    }

    #[test]
    fn malformed_and_foreign_links_are_told_apart() {
        let (one, other) = (tokens("one", None), tokens("other", None));
        let token = other.issue(Uuid::from_u128(7));
        assert_eq!(one.read(&token), Err(LinkRefusal::Foreign));
        for malformed in ["", "abc", &token[1..], &format!("{token}="), &"!".repeat(TOKEN_CHARS)] {
            assert_eq!(one.read(malformed), Err(LinkRefusal::Malformed), "{malformed}");
        }
        assert_eq!(tokens("one", Some("other")).read(&token), Ok(Uuid::from_u128(7)));
    }

    #[test]
    fn a_code_has_six_digits_that_belong_to_one_link_and_one_secret() {
        let tokens = tokens("one", None);
        let code = tokens.code(Uuid::from_u128(1));
        assert!(code.len() == 6 && code.chars().all(|c| c.is_ascii_digit()));
        assert!(tokens.is_code(Uuid::from_u128(1), &format!(" {} {} ", &code[..3], &code[3..])));
        assert_ne!(code, tokens.code(Uuid::from_u128(2)));
        assert_ne!(code, LinkTokens::new("other", None).code(Uuid::from_u128(1)));
        assert!(LinkTokens::new("other", Some("one")).is_code(Uuid::from_u128(1), &code));
    }
}
