use std::fmt;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

const MAX_CHARS: usize = 255;

/// An email address in its canonical form: trimmed, lower-cased, NFC. It is stored, compared and unique in
/// this form. The address of a new user is a [`NewEmail`](super::new_email::NewEmail).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 255, pattern = r"[^@\s]+@[^@\s]+\.[^@\s]+")]
pub struct Email(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an email address of at most {MAX_CHARS} characters")]
pub struct NotAnEmail;

impl Email {
    pub fn parse(typed: &str) -> Result<Self, NotAnEmail> {
        // Lower-casing can undo the composition of characters, so NFC comes last.
        let typed: String = typed.trim().to_lowercase().nfc().collect();
        let address = with_canonical_domain(&typed).unwrap_or(typed);
        let plausible = address.chars().count() <= MAX_CHARS
            && !address.chars().any(|c| c.is_whitespace() || c.is_control())
            && address.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && domain.contains('.')
                    && domain.split('.').all(|label| !label.is_empty() && !label.contains('@'))
            });
        if plausible { Ok(Self(address)) } else { Err(NotAnEmail) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns the address with the domain in its one Unicode form (IDNA), so that one mailbox has one address. A
/// domain in ASCII stays as it is, also in Punycode, so that existing users keep theirs.
fn with_canonical_domain(typed: &str) -> Option<String> {
    let (local, domain) = typed.rsplit_once('@')?;
    if domain.is_ascii() {
        return None;
    }
    let (domain, checked) = idna::domain_to_unicode(domain);
    checked.ok()?;
    Some(format!("{local}@{domain}"))
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Email {
    type Error = NotAnEmail;

    fn try_from(typed: String) -> Result<Self, NotAnEmail> {
        Self::parse(&typed)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_space_and_composition_make_no_difference_s38() {
        let one = Email::parse("jose\u{301}@x.y").unwrap();
        assert_eq!(Email::parse("  JOS\u{c9}@X.Y\t").unwrap(), one);
        assert_eq!(one.as_str(), "jos\u{e9}@x.y");
    }

    #[test]
    fn spellings_of_a_domain_make_no_difference() {
        for typed in [
            "a@\u{ff54}arget.example",
            "a@\u{24e3}arget.example",
            "a@tar\u{ad}get.example",
            "a@TARGET.example",
        ] {
            assert_eq!(Email::parse(typed).unwrap().as_str(), "a@target.example", "{typed}");
        }
        let punycode = "a@xn--bcher-kva.example";
        assert_eq!(Email::parse(punycode).unwrap().as_str(), punycode);
    }

    #[test]
    fn invalid_addresses_are_refused() {
        let long = format!("{}@x.y", "a".repeat(252));
        for typed in [
            "",
            "a",
            "a@",
            "@x.y",
            "a@x",
            "a@@x.y",
            "a@x..y",
            "a@x.y.",
            "a b@x.y",
            "a\0@x.y",
            "a\r\n@x.y",
            &long,
        ] {
            assert_eq!(Email::parse(typed), Err(NotAnEmail), "{typed:?}");
        }
        assert!(Email::parse(&long[1..]).is_ok());
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(typed in "\\PC{1,20}@\\PC{1,9}\\.[a-z]{2}") {
            if let Ok(email) = Email::parse(&typed) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email));
            }
        }
    }
}
