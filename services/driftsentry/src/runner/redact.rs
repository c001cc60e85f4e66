//! Makes the error output of a tool safe to print.

use std::env;

use scan::StateKey;
use scan::redact::{HIDDEN, Redactor, Secrets};

/// A variable with one of these words in its name is taken for a secret.
const SECRET_WORDS: [&str; 8] = ["TOKEN", "SECRET", "KEY", "PASS", "CREDENTIAL", "AUTH", "TF_VAR_", "COOKIE"];
/// A shorter value could be part of any word.
const MIN_SECRET_BYTES: usize = 8;

/// Hides the values of secret variables, and all texts that look like secrets.
pub(super) fn without_secrets(text: &str) -> String {
    hide(
        text,
        env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())),
    )
}

fn hide(text: &str, variables: impl Iterator<Item = (String, String)>) -> String {
    let is_secret = |(name, value): &(String, String)| {
        let name = name.to_uppercase();
        value.len() >= MIN_SECRET_BYTES && SECRET_WORDS.iter().any(|word| name.contains(word))
    };
    let mut secrets: Vec<String> = variables.filter(is_secret).map(|(_, value)| value).collect();
    // A longer value may contain a shorter one.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let known = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN));
    let (none, key) = (Secrets::none(), StateKey::new(&[]));
    let redactor = Redactor::new(&none, &key);
    // Line by line, because the text as a whole is no assignment and no JSON.
    known.lines().map(|line| redactor.text(line).into_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_variables_and_texts_that_look_like_secrets_are_hidden() {
        let variables = [
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
            ("TF_VAR_db", "hunter2hunter2"),
            ("HOME", "/home/someone"),
        ];
        let text = "no wJalrXUtnFEMI here\nand hunter2hunter2\npassword=swordfish1\nin /home/someone";
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let hidden = hide(text, variables);
        for secret in ["wJalrXUtnFEMI", "hunter2", "swordfish1"] {
            assert!(!hidden.contains(secret), "{hidden}");
        }
        assert!(
            hidden.contains("no (sensitive value) here") && hidden.contains("in /home/someone"),
            "{hidden}"
        );
    }
}
