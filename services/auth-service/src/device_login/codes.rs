//! The two codes of a device login. Both are derived from the id of the row and `JWT_REFRESH_SECRET`: the device code,
//! which the device keeps, as the token of a link, and the user code, which a person types. The row holds only a keyed
//! hash of the user code, so that it holds no credential.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::Sha256;
use uuid::Uuid;

use crate::link::token::{LinkTokens, SignedFor};
use crate::token::refresh_token::keyed;

/// Consonants that are not mistaken for each other, and spell no words (RFC 8628, section 6.1).
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const CHARS: usize = 8;

/// Issues and reads the codes of device logins.
#[derive(Clone)]
pub struct DeviceCodes {
    tokens: LinkTokens,
    secret: Hmac<Sha256>,
    /// The previous secret, whose codes are accepted while the secret is rotated.
    previous: Option<Hmac<Sha256>>,
}

/// A user code as it was typed: in any case, with or without the dash.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UserCode(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the {CHARS} letters that the device shows")]
pub struct NotAUserCode;

impl TryFrom<String> for UserCode {
    type Error = NotAUserCode;

    fn try_from(typed: String) -> Result<Self, NotAUserCode> {
        let letters = typed.chars().filter(|c| *c != '-' && !c.is_whitespace());
        let letters = letters.map(|c| c.to_ascii_uppercase()).take(CHARS + 1).collect::<String>();
        let is_code = letters.len() == CHARS && letters.bytes().all(|letter| ALPHABET.contains(&letter));
        if is_code { Ok(Self(letters)) } else { Err(NotAUserCode) }
    }
}

impl UserCode {
    /// The code as it is shown: `XXXX-XXXX`.
    pub fn shown(&self) -> String {
        let (start, end) = self.0.split_at(CHARS / 2);
        format!("{start}-{end}")
    }
}

impl DeviceCodes {
    pub fn new(secret: &str, previous: Option<&str>) -> Self {
        Self {
            tokens: LinkTokens::new(secret, previous),
            secret: keyed(secret.as_bytes()),
            previous: previous.map(|secret| keyed(secret.as_bytes())),
        }
    }

    pub fn device_code(&self, id: Uuid) -> String {
        self.tokens.sign(SignedFor::DeviceLogin, id)
    }

    /// Returns the id of a device login after checking the MAC of its device code in constant time.
    pub fn read(&self, device_code: &str) -> Option<Uuid> {
        self.tokens.read_signed(SignedFor::DeviceLogin, device_code).ok()
    }

    pub fn user_code(&self, id: Uuid) -> UserCode {
        let bytes = mac(&self.secret, b"user code\0", id.as_bytes());
        let mut number = bytes.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let mut letters = String::with_capacity(CHARS);
        for _ in 0..CHARS {
            letters.push(char::from(ALPHABET[(number % ALPHABET.len() as u64) as usize]));
            number /= ALPHABET.len() as u64;
        }
        UserCode(letters)
    }

    /// The value of the `userCodeHash` column of a new row.
    pub fn hash(&self, code: &UserCode) -> String {
        hash(&self.secret, code)
    }

    /// The values of the `userCodeHash` column under which the row of a code may be found.
    pub fn hashes(&self, code: &UserCode) -> Vec<String> {
        std::iter::once(&self.secret).chain(&self.previous).map(|secret| hash(secret, code)).collect()
    }
}

fn hash(secret: &Hmac<Sha256>, code: &UserCode) -> String {
    URL_SAFE_NO_PAD.encode(mac(secret, b"user code hash\0", code.0.as_bytes()))
}

fn mac(secret: &Hmac<Sha256>, kind: &[u8], message: &[u8]) -> [u8; 32] {
    secret.clone().chain_update(kind).chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(typed: &str) -> Result<UserCode, NotAUserCode> {
        typed.to_owned().try_into()
    }

    #[test]
    fn a_user_code_is_read_in_any_case_with_or_without_its_dash() {
        let expected = UserCode("BCDFGHJK".into());
        for typed in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "BcDf-gHjK"] {
            assert_eq!(code(typed), Ok(expected.clone()), "{typed}");
        }
        assert_eq!(expected.shown(), "BCDF-GHJK");
        for typed in ["", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GHJ0", "BCDF-GHJé", &"B".repeat(1_000)]
        {
            assert_eq!(code(typed), Err(NotAUserCode), "{typed}");
        }
    }

    #[test]
    fn codes_belong_to_one_login_and_one_secret() {
        let (codes, other) = (DeviceCodes::new("one", None), DeviceCodes::new("other", None));
        let (id, user_code) = (Uuid::from_u128(7), codes.user_code(Uuid::from_u128(7)));
        assert_eq!(code(&user_code.shown()), Ok(user_code.clone()));
        assert_ne!(user_code, codes.user_code(Uuid::from_u128(8)));
        assert_ne!(user_code, other.user_code(id));
        assert_eq!(codes.read(&codes.device_code(id)), Some(id));
        assert_eq!(other.read(&codes.device_code(id)), None);
        assert_eq!(LinkTokens::new("one", None).read(&codes.device_code(id)).ok(), None);
        assert_eq!(codes.read(&LinkTokens::new("one", None).issue(id)), None);
        assert_eq!(codes.read(&codes.hash(&user_code)), None);
    }

    #[test]
    fn codes_of_the_previous_secret_are_read() {
        let (old, new) = (DeviceCodes::new("old", None), DeviceCodes::new("new", Some("old")));
        let (id, user_code) = (Uuid::from_u128(7), old.user_code(Uuid::from_u128(7)));
        assert_eq!(new.read(&old.device_code(id)), Some(id));
        assert!(new.hashes(&user_code).contains(&old.hash(&user_code)));
        assert!(!old.hashes(&user_code).contains(&new.hash(&user_code)));
    }
}
