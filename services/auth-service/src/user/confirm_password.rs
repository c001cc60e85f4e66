use std::net::IpAddr;

use super::email::Email;
use super::entity as user;
use crate::audit::action::Action;
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits;
use crate::login::account_locks::{self, Place};
use crate::login::attempt::Attempt;
use crate::login::guard::{record_failure, refuse};
use crate::password::Password;
use crate::state::State;

/// Checks the caller's current password before a change that a stolen session must not make. Wrong passwords
/// count per session. Returns the caller's user and the attempt.
pub async fn confirm_password(
    state: &State,
    person: &Person,
    current: Password,
    ip: IpAddr,
) -> Result<(user::Model, Attempt), AuthError> {
    let known = user::by_id(&state.database, person.id).await?.ok_or(AuthError::UnknownCaller)?;
    let email = Email::parse(&known.email).map_err(|_error| AuthError::UnknownCaller)?;
    let attempt = Attempt { email, ip };
    let (account, place) = (attempt.account(), Place::Session(person.session.id));
    refuse(account_locks::read(state, &account, &place).await?.here)?;
    limits::admit_attempt(state, &attempt, &place).await?;
    let is_right = state.passwords.verify(current, Some(known.password.clone()), attempt.path()).await?;
    refuse(account_locks::read(state, &account, &place).await?.here)?;
    if !is_right {
        let action = Some(Action::PasswordChangeFailed);
        record_failure(state, action, &attempt, Some(known.id), &place, true).await?;
        return Err(AuthError::WrongCurrentPassword);
    }
    Ok((known, attempt))
}
