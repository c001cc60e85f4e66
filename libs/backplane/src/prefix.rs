use std::fmt;
use std::str::FromStr;

/// The name of an installation on a Redis that several installations share. Begins every key, and, unless it is the
/// default `driftsentry`, every channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// The error for a prefix that cannot be used.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must be 1 to 32 letters, digits, '-', '_' or '.'")]
pub struct InvalidPrefix;

const DEFAULT: &str = "driftsentry";
const MAX_LENGTH: usize = 32;

impl Prefix {
    pub(crate) fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self(DEFAULT.into())
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        // Nothing that means something in a pattern of Redis, in its ACL or in a hash tag.
        let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        let is_valid = is_plain && (1..=MAX_LENGTH).contains(&text.len());
        if is_valid { Ok(Self(text.into())) } else { Err(InvalidPrefix) }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_contains_nothing_with_a_meaning_for_redis() {
        for valid in ["driftsentry", "a", "Team-1_eu.west"] {
            assert_eq!(valid.parse::<Prefix>().unwrap().to_string(), valid);
        }
        for invalid in ["", "a:b", "a*", "{a}", "a b", "ä", "a]", &"a".repeat(33)] {
            assert!(invalid.parse::<Prefix>().is_err(), "{invalid}");
        }
    }
}
