use std::net::IpAddr;

use contracts::events::auth::EndReason;
use sea_orm::ActiveValue::Set;

use super::email::Email;
use super::entity as user;
use super::locked_user::LockedUser;
use crate::audit::action::{Action, Initiator};
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits;
use crate::login::account_locks::{self, Place};
use crate::login::attempt::Attempt;
use crate::login::guard::{record_failure, refuse};
use crate::password::Password;
use crate::state::State;

/// Changes the caller's password and ends all their other sessions. Returns the number of ended sessions.
pub async fn change_password(
    state: &State,
    person: Person,
    current: Password,
    new: Password,
    ip: IpAddr,
) -> Result<usize, AuthError> {
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
    state.settings.check_strength(&new, &known.name, &attempt.email)?;
    limits::admit_success(state, known.id).await?;
    let password = state.passwords.hash(new, attempt.path()).await?;
    let user = LockedUser::lock(state, known.id, Initiator::user_at(ip)).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    // A concurrent login may have upgraded the hash, which is fine. A concurrent password change is not.
    if user.row.password != known.password && user.row.login_epoch != known.login_epoch {
        return Err(AuthError::WrongCurrentPassword);
    }
    if user.open_session_by_id(person.session.id).await?.is_none() {
        return Err(AuthError::SessionEnded);
    }
    let change = user::ActiveModel { password: Set(password), ..Default::default() };
    user.update_and_outdate_tokens(change).await?;
    user.audit(Action::PasswordChanged, Some(person.session.id), None);
    let ended = user.end_all(Some(person.session.id), EndReason::PasswordChanged).await?;
    user.commit().await?;
    Ok(ended)
}
