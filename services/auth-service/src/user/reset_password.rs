//! Sets the password of an account from a shell.

use anyhow::{Context, Result};
use contracts::events::auth::EndReason;
use sea_orm::ActiveValue::Set;

use crate::audit::action::{Action, Initiator};
use crate::error::AuthError;
use crate::password::read_password;
use crate::state::State;
use crate::user::admin;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// Sets the password, ends all sessions of the account and lifts its locks.
pub async fn run(state: &State, email: &str) -> Result<()> {
    let email = Email::parse(email).context("--email")?;
    let known = user::by_email(&state.database, &email).await?.ok_or(AuthError::UnknownUser)?;
    let password = read_password()?;
    state.settings.check_strength(&password, &known.name, &email).context("invalid password")?;
    let password = state.passwords.hash(password, vec![]).await?;
    let user = LockedUser::lock(state, known.id, Initiator::service_itself()).await?;
    let mut user = user.ok_or(AuthError::UnknownUser)?;
    let change = user::ActiveModel { password: Set(password), ..Default::default() };
    user.update_and_outdate_tokens(change).await?;
    user.audit(Action::PasswordReset, None, None);
    let ended = user.end_all(None, EndReason::PasswordChanged).await?;
    let lifted = admin::lift_locks_of(&mut user).await?;
    let (id, is_active) = (user.row.id, user.row.is_active);
    user.commit().await?;
    tracing::info!(%id, is_active, ended, lifted, "set the password, ended the sessions and lifted the locks");
    Ok(())
}
