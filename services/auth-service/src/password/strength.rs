use clap::ValueEnum;
use zxcvbn::{Score, zxcvbn};

use crate::password::Password;

/// Requirements for new passwords besides their length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PasswordPolicy {
    /// No other requirement.
    Length,
    /// Hard to guess offline, even for an attacker who knows the user's name and email address.
    Strong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is too easy to guess")]
pub struct TooWeak;

impl PasswordPolicy {
    /// Checks a new password. `context` lists what an attacker would try first, as a whole and word by word:
    /// the user's name and email address, and the name of the product.
    pub fn check(self, password: &Password, context: &[&str]) -> Result<(), TooWeak> {
        let words = context.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
        let words = words.chain(context.iter().copied()).filter(|word| !word.is_empty());
        let weak = match self {
            Self::Length => false,
            Self::Strong => zxcvbn(&password.normalised, &words.collect::<Vec<_>>()).score() < Score::Three,
        };
        if weak { Err(TooWeak) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strong_refuses_easy_guesses_and_length_does_not_s35() {
        let context = ["m.quaxtrobbel@example.org", "Marguerite Zwybrunkl"];
        for (typed, strong) in [
            ("password1", false),
            ("qwertyuiop", false),
            ("marguerite", false),
            ("quaxtrobbel", false),
            ("Zwybrunkl1", false),
            ("somebody zwybrunkl", true),
            ("turnip-lattice-9-orbit", true),
        ] {
            let password = Password::parse(typed).unwrap();
            assert_eq!(PasswordPolicy::Strong.check(&password, &context).is_ok(), strong, "{typed}");
            assert!(PasswordPolicy::Length.check(&password, &context).is_ok());
        }
    }
}
