//! The marks of ended sessions, changed users and issued keys, as the backplane stores them.

use std::time::Duration;

use backplane::Mark;
use chrono::{DateTime, Utc};
use contracts::events::auth::EndReason;
use contracts::{AccountId, Role};
use uuid::Uuid;

/// Interval between reads of the marks, so that entries do not expire in a process while their marks live.
pub(crate) const REFRESH_INTERVAL: Duration = Duration::from_secs(300);

/// Creates the mark of an ended session, kept until its last access token has expired.
pub fn session_mark(session: Uuid, reason: EndReason, expires_at: DateTime<Utc>) -> Mark {
    Mark { value: format!("session:{session}:{reason}"), expires_at }
}

/// The state of a user after a change. Tokens of an earlier `generation` are out of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserChange {
    pub generation: i64,
    pub role: Role,
    pub is_active: bool,
    pub account_id: Option<AccountId>,
}

/// Creates the mark of a changed user, kept until the last token from before the change has expired.
pub fn user_mark(user: Uuid, change: &UserChange, expires_at: DateTime<Utc>) -> Mark {
    let UserChange { generation, role, is_active, account_id } = change;
    let account = account_id.as_deref().unwrap_or_default();
    Mark { value: format!("user:{user}:{generation}:{role}:{is_active}:{account}"), expires_at }
}

/// Creates the mark of an issued key. `x` is the public key as in a JWK (RFC 8037).
pub fn key_mark(x: &str, expires_at: DateTime<Utc>) -> Mark {
    Mark { value: format!("key:{x}"), expires_at }
}

/// Creates the mark of a key that must not verify any more, kept until the mark of the key has expired.
pub fn withdrawn_key_mark(id: &str, expires_at: DateTime<Utc>) -> Mark {
    Mark { value: format!("key-withdrawn:{id}"), expires_at }
}

/// A mark after parsing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Marked {
    Session { session: Uuid, reason: EndReason },
    User { user: String, change: UserChange },
    Key { x: String },
    KeyWithdrawn { id: String },
}

impl Marked {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        // The account id comes last, because it may contain colons.
        let parts = value.splitn(6, ':').collect::<Vec<_>>();
        match parts.as_slice() {
            ["session", session, reason] => {
                Some(Self::Session { session: session.parse().ok()?, reason: reason.parse().ok()? })
            }
            ["user", user, generation, role, is_active, account] => {
                let change = UserChange {
                    generation: generation.parse().ok()?,
                    role: role.parse().ok()?,
                    is_active: is_active.parse().ok()?,
                    account_id: Some(*account).filter(|account| !account.is_empty()).map(Into::into),
                };
                Some(Self::User { user: (*user).into(), change })
            }
            ["key", x] => Some(Self::Key { x: (*x).into() }),
            ["key-withdrawn", id] => Some(Self::KeyWithdrawn { id: (*id).into() }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn a_mark_reads_back_as_written() {
        let (id, until) = (Uuid::new_v4(), DateTime::UNIX_EPOCH);
        for reason in EndReason::iter() {
            let mark = session_mark(id, reason, until);
            assert_eq!(Marked::parse(&mark.value), Some(Marked::Session { session: id, reason }));
        }
        for account_id in [None, Some("acme:eu".into())] {
            let change = UserChange { generation: 7, role: Role::Engineer, is_active: false, account_id };
            let mark = user_mark(id, &change, until);
            assert_eq!(Marked::parse(&mark.value), Some(Marked::User { user: id.to_string(), change }));
        }
        let (x, id) = ("DnzE6_-x".to_owned(), "kPrK-_qm".to_owned());
        assert_eq!(Marked::parse(&key_mark(&x, until).value), Some(Marked::Key { x }));
        assert_eq!(Marked::parse(&withdrawn_key_mark(&id, until).value), Some(Marked::KeyWithdrawn { id }));
    }
}
