//! The marks of ended sessions and changed users, as the backplane stores them.

use backplane::Mark;
use chrono::{DateTime, Utc};
use contracts::events::auth::EndReason;
use contracts::{AccountId, Role};
use uuid::Uuid;

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

/// A mark after parsing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Marked {
    Session { session: Uuid, reason: EndReason },
    User { user: String, change: UserChange },
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
    }
}
