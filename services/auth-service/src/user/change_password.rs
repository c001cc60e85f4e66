use std::net::IpAddr;

use contracts::events::auth::EndReason;
use sea_orm::ActiveValue::Set;

use super::confirm_password::confirm_password;
use super::entity as user;
use super::locked_user::LockedUser;
use crate::audit::action::{Action, Initiator};
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits;
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
    let (known, attempt) = confirm_password(state, &person, current, ip).await?;
    state.settings.check_strength(&new, &known.name, &attempt.email)?;
    limits::admit_success(state, known.id).await?;
    let password = state.passwords.hash(new, attempt.path()).await?;
    let user = LockedUser::lock(state, known.id, Initiator::user_at(ip)).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    user.check_confirmed(&known, person.session.id).await?;
    let change = user::ActiveModel { password: Set(password), ..Default::default() };
    user.update_and_outdate_tokens(change).await?;
    user.audit(Action::PasswordChanged, Some(person.session.id), None);
    let ended = user.end_all(Some(person.session.id), EndReason::PasswordChanged).await?;
    user.commit().await?;
    Ok(ended)
}
