use contracts::events::auth::UserLogin;
use sea_orm::ActiveValue::Set;

use super::account_locks::{self, Place};
use super::attempt::Attempt;
use super::guard::{record_failure, refuse};
use super::known_network;
use crate::audit::action::{Action, Initiator};
use crate::error::AuthError;
use crate::limits;
use crate::password::Password;
use crate::session::device::Device;
use crate::session::entity as session;
use crate::state::State;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// A user and the session that was opened for them.
pub struct LoggedIn {
    pub user: user::Model,
    pub session: session::Model,
}

/// Opens a session for a user who sends the right password.
///
/// A failed attempt gets the same response after the same work, whether the account is unknown, disabled or
/// active. The response is 429 if a lock or a limit applies. Locks and limits depend on counts alone.
pub async fn log_in(
    state: &State,
    attempt: Attempt,
    password: Password,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    let (account, place) = (attempt.account(), Place::Network(attempt.network()));
    // This lock applies to every client of the network. The locks below exempt familiar networks, so they
    // must not show before the work is done.
    refuse(account_locks::read(state, &account, &place).await?.here)?;
    limits::admit_attempt(state, &attempt, &place).await?;

    let found = user::by_email(&state.database, &attempt.email).await?;
    let user_id = found.as_ref().map(|user| user.id);
    let stored = found.as_ref().map(|user| user.password.clone());
    let is_right = state.passwords.verify(password.clone(), stored, attempt.path()).await?;
    // Read again after the comparison, so that no concurrent guess passes once enough guesses were wrong.
    let locks = account_locks::read(state, &account, &place).await?;
    let refusal = locks.longest().max(limits::refusal_of_failures(state, attempt.ip).await?);
    let is_familiar = account_locks::is_familiar(state, &attempt, user_id).await?;
    let has_chance = locks.here.is_none() && (refusal.is_none() || is_familiar);
    if let Some(known) = found
        && is_right
        && has_chance
        && let Some(logged_in) = enter(state, &attempt, known, password, device).await?
    {
        return Ok(logged_in);
    }
    // A refused attempt leaves no row, so the audit log grows no faster than the limits allow.
    let action = refusal.is_none().then_some(Action::LoginFailed);
    record_failure(state, action, &attempt, user_id, &place, has_chance).await?;
    refuse(refusal)?;
    Err(AuthError::BadCredentials)
}

/// Opens a session for a user whose password was right. Returns `None` if the user may not log in.
///
/// # Errors
/// [`AuthError::SessionEnded`] if all sessions of the user were ended, or the user was deleted, since `known`
/// was read: a login must not survive a change that was meant to end it.
async fn enter(
    state: &State,
    attempt: &Attempt,
    known: user::Model,
    password: Password,
    device: Device,
) -> Result<Option<LoggedIn>, AuthError> {
    if !known.is_active {
        return Ok(None);
    }
    limits::admit_success(state, known.id).await?;
    // Best effort: if the queue is full, the next login upgrades the hash.
    let is_outdated = state.passwords.needs_upgrade(&known.password);
    let upgraded = if is_outdated { state.passwords.hash(password, attempt.path()).await.ok() } else { None };
    let user = LockedUser::lock(state, known.id, Initiator::user_at(attempt.ip)).await?;
    match user {
        // Deleted since then. A failure would be recorded with the address of a deleted user.
        None => Err(AuthError::SessionEnded),
        Some(user) if user.row.login_epoch != known.login_epoch => Err(AuthError::SessionEnded),
        Some(user) if user.row.is_active => open_session(user, attempt, device, upgraded).await.map(Some),
        _ => Ok(None),
    }
}

/// Opens a session, and records the login.
pub async fn open_session(
    mut user: LockedUser<'_>,
    attempt: &Attempt,
    device: Device,
    upgraded_password: Option<String>,
) -> Result<LoggedIn, AuthError> {
    let session = user.open_session(device, attempt.ip).await?;
    let (user_id, session_id) = (user.row.id, session.id);
    user.transaction.emit(UserLogin { user_id, session_id });
    user.audit(Action::Login, Some(session_id), None);
    if upgraded_password.is_some() {
        user.audit(Action::PasswordUpgraded, Some(session_id), None);
    }
    known_network::record(&user.transaction, user_id, attempt.network(), user.now).await?;
    let change = user::ActiveModel {
        last_login_at: Set(Some(user.now)),
        last_activity_at: Set(Some(user.now)),
        password: upgraded_password.map_or_else(Default::default, Set),
        ..Default::default()
    };
    user.update(change).await?;
    let row = user.row.clone();
    user.commit().await?;
    Ok(LoggedIn { user: row, session })
}
