//! Confirms a change by the current password of the caller.

use std::net::IpAddr;

use uuid::Uuid;

use crate::audit::action::Action;
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits;
use crate::login::account_locks::{self, Place};
use crate::login::attempt::Attempt;
use crate::login::guard::{record_failure, refuse};
use crate::password::Password;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// A user whose current password was right.
pub struct Confirmed {
    pub user: user::Model,
    pub attempt: Attempt,
    session: Uuid,
}

/// Verifies the current password of the caller. A wrong one counts for the session, and is written to the audit
/// log as `failed`.
pub async fn confirm(
    state: &State,
    person: &Person,
    current: Password,
    ip: IpAddr,
    failed: Action,
) -> Result<Confirmed, AuthError> {
    let user = user::by_id(&state.database, person.id).await?.ok_or(AuthError::UnknownCaller)?;
    let email = Email::parse(&user.email).map_err(|_error| AuthError::UnknownCaller)?;
    let attempt = Attempt { email, ip };
    let (account, place) = (attempt.account(), Place::Session(person.session.id));
    refuse(account_locks::read(state, &account, &place).await?.here)?;
    limits::admit_attempt(state, &attempt, &place).await?;
    let is_right = state.passwords.verify(current, Some(user.password.clone()), attempt.path()).await?;
    refuse(account_locks::read(state, &account, &place).await?.here)?;
    if !is_right {
        record_failure(state, Some(failed), &attempt, Some(user.id), &place, true).await?;
        return Err(AuthError::WrongCurrentPassword);
    }
    Ok(Confirmed { user, attempt, session: person.session.id })
}

impl Confirmed {
    /// Checks, under the lock of the user, that the confirmation still holds.
    pub async fn check(&self, locked: &LockedUser<'_>) -> Result<(), AuthError> {
        let (row, known) = (&locked.row, &self.user);
        // A concurrent login may have upgraded the hash, which is fine. A concurrent password change is not.
        if row.password != known.password && row.login_epoch != known.login_epoch {
            return Err(AuthError::WrongCurrentPassword);
        }
        if locked.open_session_by_id(self.session).await?.is_none() {
            return Err(AuthError::SessionEnded);
        }
        Ok(())
    }
}
