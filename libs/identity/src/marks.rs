//! How ended sessions and changed users are written as marks of the backplane.

use backplane::Mark;
use chrono::{DateTime, Utc};
use contracts::Role;
use contracts::events::auth::EndReason;
use uuid::Uuid;

/// «This session has ended», until its last access token is dead.
pub fn session_mark(session: Uuid, reason: EndReason, expires_at: DateTime<Utc>) -> Mark {
    Mark { value: format!("session:{session}:{reason}"), expires_at }
}

/// «Tokens of this user from before `generation` are out of date», until the last of them is dead.
pub fn user_mark(
    user: Uuid,
    generation: i64,
    role: Role,
    is_active: bool,
    expires_at: DateTime<Utc>,
) -> Mark {
    Mark { value: format!("user:{user}:{generation}:{role}:{is_active}"), expires_at }
}

/// A mark as it was read back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Marked {
    Session { session: Uuid, reason: EndReason },
    User { user: String, generation: i64, role: Role, is_active: bool },
}

impl Marked {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let parts = value.split(':').collect::<Vec<_>>();
        match parts.as_slice() {
            ["session", session, reason] => {
                Some(Self::Session { session: session.parse().ok()?, reason: reason.parse().ok()? })
            }
            ["user", user, generation, role, is_active] => Some(Self::User {
                user: (*user).into(),
                generation: generation.parse().ok()?,
                role: role.parse().ok()?,
                is_active: is_active.parse().ok()?,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn marks_read_back_as_written() {
        let (id, until) = (Uuid::new_v4(), DateTime::UNIX_EPOCH);
        for reason in EndReason::iter() {
            let mark = session_mark(id, reason, until);
            assert_eq!(Marked::parse(&mark.value), Some(Marked::Session { session: id, reason }));
        }
        let mark = user_mark(id, 7, Role::Engineer, false, until);
        let user =
            Marked::User { user: id.to_string(), generation: 7, role: Role::Engineer, is_active: false };
        assert_eq!(Marked::parse(&mark.value), Some(user));
    }
}
