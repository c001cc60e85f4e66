use serde::Deserialize;
use utoipa::ToSchema;

use crate::user::email::{Email, NotAnEmail};
use crate::user::name::is_hidden;

/// Quotes allow several spellings of one address. The others can name another domain, or look like a link.
const REFUSED: [char; 6] = ['"', '\\', '/', '%', '!', ','];

/// The address of a new user, or a new address of a user. It has more rules than [`Email`], with which users of
/// earlier versions log in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 255, pattern = r"[^@\s]+@[^@\s]+\.[^@\s]+")]
pub struct NewEmail(Email);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANewEmail {
    #[error(transparent)]
    NotAnEmail(#[from] NotAnEmail),
    #[error("must be an email address without quotes, slashes, commas, %, ! and invisible characters")]
    Characters,
    #[error("must be an email address that can receive mail")]
    Domain,
}

impl NewEmail {
    pub fn parse(typed: &str) -> Result<Self, NotANewEmail> {
        let email = Email::parse(typed)?;
        let address = email.as_str();
        if address.contains(REFUSED) || address.contains(is_hidden) {
            return Err(NotANewEmail::Characters);
        }
        let domain = address.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
        // `.invalid` has the addresses of deleted users.
        if domain.ends_with(".invalid") || idna::domain_to_ascii(domain).is_err() {
            return Err(NotANewEmail::Domain);
        }
        Ok(Self(email))
    }
}

impl TryFrom<String> for NewEmail {
    type Error = NotANewEmail;

    fn try_from(typed: String) -> Result<Self, NotANewEmail> {
        Self::parse(&typed)
    }
}

impl From<NewEmail> for Email {
    fn from(NewEmail(email): NewEmail) -> Self {
        email
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_address_has_one_spelling_and_looks_like_no_link() {
        for (typed, refusal) in [
            ("a", NotANewEmail::NotAnEmail(NotAnEmail)),
            ("\"a\"@x.y", NotANewEmail::Characters),
            ("a\\b@x.y", NotANewEmail::Characters),
            ("www.x.y/z@x.y", NotANewEmail::Characters),
            ("a%x.y@x.y", NotANewEmail::Characters),
            ("a!b@x.y", NotANewEmail::Characters),
            ("a,b@x.y", NotANewEmail::Characters),
            ("a\u{200b}@x.y", NotANewEmail::Characters),
            ("a@\u{202e}x.y", NotANewEmail::Characters),
            ("deleted-1@deleted.invalid", NotANewEmail::Domain),
        ] {
            assert_eq!(NewEmail::parse(typed), Err(refusal), "{typed}");
        }
        assert_eq!(Email::from(NewEmail::parse(" A+b@X.y ").unwrap()).as_str(), "a+b@x.y");
    }

    #[test]
    fn an_address_of_an_earlier_version_is_still_read() {
        for typed in ["\"a\"@x.y", "a/b@x.y", "a%x.y@x.y", "deleted-1@deleted.invalid"] {
            assert_eq!(Email::parse(typed).unwrap().as_str(), typed);
        }
    }
}
