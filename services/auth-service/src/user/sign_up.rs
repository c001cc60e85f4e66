use contracts::Role;

use super::locked_user::{LockedUser, NewUser};
use super::name::Name;
use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::limits;
use crate::login::attempt::Attempt;
use crate::login::log_in::{LoggedIn, open_session};
use crate::password::Password;
use crate::session::device::Device;
use crate::state::State;

/// Creates a viewer and logs them in. A taken address costs the same work as a new one.
pub async fn sign_up(
    state: &State,
    name: Name,
    attempt: Attempt,
    password: Password,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    limits::admit_signup(state, &attempt).await?;
    let name = String::from(name);
    state.settings.check_strength(&password, &name, &attempt.email)?;
    let password = state.passwords.hash(password, attempt.path()).await?;
    // Checked again: other sign-ups may have used up the limit while this one waited for a core.
    limits::check_signup_conflicts(state, attempt.ip).await?;
    let new = NewUser::new(name, attempt.email.clone(), password, Role::Viewer);
    match LockedUser::create(state, new, Initiator::user_at(attempt.ip)).await {
        Ok(user) => open_session(user, &attempt, device, None).await,
        Err(error) => {
            if matches!(error, AuthError::EmailTaken) {
                limits::admit_signup_conflict(state, attempt.ip).await?;
            }
            Err(error)
        }
    }
}
