use std::net::IpAddr;

use contracts::events::auth::EndReason;
use sea_orm::ActiveValue::Set;

use super::current_password::confirm;
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
    let confirmed = confirm(state, &person, current, ip, Action::PasswordChangeFailed).await?;
    let (id, attempt) = (confirmed.user.id, &confirmed.attempt);
    state.settings.check_strength(&new, &confirmed.user.name, &attempt.email)?;
    limits::admit_success(state, id).await?;
    let password = state.passwords.hash(new, attempt.path()).await?;
    let user = LockedUser::lock(state, id, Initiator::user_at(ip)).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    confirmed.check(&user).await?;
    let change = user::ActiveModel { password: Set(password), ..Default::default() };
    user.update_and_outdate_tokens(change).await?;
    user.audit(Action::PasswordChanged, Some(person.session.id), None);
    let ended = user.end_all(Some(person.session.id), EndReason::PasswordChanged).await?;
    user.commit().await?;
    Ok(ended)
}
