use std::fmt;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

const MIN_CHARS: usize = 8;
const MAX_CHARS: usize = 255;
/// Bounds only the work: before normalisation, a character can take several code points.
const MAX_BYTES: usize = 8 * 1024;

/// A password within the bounds, in the form that is hashed.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password {
    pub(super) normalised: String,
    /// As typed, because the old stack hashed this form.
    pub(super) typed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have {MIN_CHARS} to {MAX_CHARS} characters")]
pub struct PasswordLength;

impl Password {
    /// Accepts 8 to 255 characters, counted after NFKC.
    pub fn parse(typed: &str) -> Result<Self, PasswordLength> {
        if typed.len() > MAX_BYTES {
            return Err(PasswordLength);
        }
        let normalised: String = typed.nfkc().collect();
        match normalised.chars().count() {
            MIN_CHARS..=MAX_CHARS => Ok(Self { normalised, typed: typed.to_owned() }),
            _ => Err(PasswordLength),
        }
    }
}

impl TryFrom<String> for Password {
    type Error = PasswordLength;

    fn try_from(typed: String) -> Result<Self, PasswordLength> {
        Self::parse(&typed)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_count_characters_after_normalisation() {
        assert_eq!(Password::parse("1234567").err(), Some(PasswordLength));
        assert!(Password::parse("12345678").is_ok());
        assert!(Password::parse(&"é".repeat(255)).is_ok());
        assert_eq!(Password::parse(&"é".repeat(256)).err(), Some(PasswordLength));
        // Eight code points as typed, four characters after normalisation.
        assert_eq!(Password::parse(&"e\u{301}".repeat(4)).err(), Some(PasswordLength));
    }

    #[test]
    fn passwords_of_64_emoji_are_within_the_bounds_s32() {
        assert!(Password::parse(&"🦀".repeat(64)).is_ok());
    }

    #[test]
    fn debug_output_hides_the_password_s52() {
        let password = Password::parse("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
    }
}
