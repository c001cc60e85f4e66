use clap::ValueEnum;
use zxcvbn::{Score, zxcvbn};

use crate::password::Password;
use crate::password::blocklist::{Blocklist, is_breached};

/// Requirements for new passwords besides their length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PasswordPolicy {
    /// No other requirement.
    Length,
    /// Hard to guess offline, even for an attacker who knows the user's name and email address, and on no list of
    /// breached passwords.
    Strong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooWeak {
    #[error("is too easy to guess")]
    Guessable,
    #[error("is on a list of breached passwords; choose another one")]
    Breached,
}

impl PasswordPolicy {
    /// Checks a new password. `context` lists what an attacker would try first, as a whole and word by word:
    /// the user's name and email address, and the name of the product. `list` is the list of the operator.
    pub fn check(
        self,
        password: &Password,
        context: &[&str],
        list: Option<&Blocklist>,
    ) -> Result<(), TooWeak> {
        if self == Self::Length {
            return Ok(());
        }
        let words = context.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
        let words = words.chain(context.iter().copied()).filter(|word| !word.is_empty());
        if zxcvbn(&password.normalised, &words.collect::<Vec<_>>()).score() < Score::Three {
            return Err(TooWeak::Guessable);
        }
        if is_breached(password, list) { Err(TooWeak::Breached) } else { Ok(()) }
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
            assert_eq!(PasswordPolicy::Strong.check(&password, &context, None).is_ok(), strong, "{typed}");
            assert!(PasswordPolicy::Length.check(&password, &context, None).is_ok());
        }
    }
}
