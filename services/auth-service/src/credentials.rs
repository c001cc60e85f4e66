//! Signing up, logging in, changing a password: everything that takes a password.

use std::net::IpAddr;

use contracts::Role;
use contracts::events::auth::{EndReason, UserLogin};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use crate::audit::{Action, Initiator};
use crate::caller::Person;
use crate::device::Device;
use crate::email::Email;
use crate::entity::{audit_log, session, user};
use crate::error::AuthError;
use crate::limits;
use crate::locked_user::{LockedUser, NewUser, audit_row};
use crate::name::Name;
use crate::password::Password;
use crate::state::State;

/// A user and the session that was opened for them.
pub struct LoggedIn {
    pub user: user::Model,
    pub session: session::Model,
}

/// Where a session is opened from.
pub struct Place {
    pub device: Device,
    pub ip: IpAddr,
}

/// Makes a viewer and logs them in.
pub async fn sign_up(
    state: &State,
    name: Name,
    email: Email,
    password: Password,
    place: Place,
) -> Result<LoggedIn, AuthError> {
    limits::admit_signup(state, place.ip).await?;
    let name = String::from(name);
    check_strength(state, &password, &name, &email)?;
    if user::by_email(&*state.db, &email).await?.is_some() {
        return Err(AuthError::EmailTaken);
    }
    let password = state.passwords.hash(password).await?;
    let new = NewUser { name, email, password, role: Role::Viewer };
    let user = LockedUser::create(state, new, Initiator::user_at(place.ip)).await?;
    open_session(user, place, None).await
}

/// Opens a session for whoever knows the password. Unknown, wrong, disabled and locked cost and answer
/// the same.
pub async fn log_in(
    state: &State,
    email: Email,
    password: Password,
    place: Place,
) -> Result<LoggedIn, AuthError> {
    limits::check_login(state, place.ip).await?;
    loop {
        let found = user::by_email(&*state.db, &email).await?;
        let stored = found.as_ref().map(|user| user.password.clone());
        let is_right = state.passwords.verify(password.clone(), stored).await?;
        let is_locked = limits::is_locked(state, &email, place.ip).await;
        let known = match found {
            Some(user) if is_right && user.is_active && !is_locked => user,
            refused => {
                let user_id = refused.map(|user| user.id);
                fail(state, Action::LoginFailed, &email, user_id, place.ip).await?;
                return Err(AuthError::BadCredentials);
            }
        };
        // Best effort: where no core is free for it, the next login does it.
        let upgraded = match state.passwords.needs_upgrade(&known.password) {
            true => state.passwords.hash(password.clone()).await.ok(),
            false => None,
        };
        let user = LockedUser::lock(state, known.id, Initiator::user_at(place.ip)).await?;
        match user {
            Some(user) if user.row.generation == known.generation => {
                return open_session(user, place, upgraded).await;
            }
            // Disabled, or given another password, while this one was compared: look again.
            _ => {}
        }
    }
}

async fn open_session(
    mut user: LockedUser<'_>,
    place: Place,
    upgraded_password: Option<String>,
) -> Result<LoggedIn, AuthError> {
    let Place { device, ip } = place;
    let session = user.open_session(device, ip).await?;
    let (user_id, session_id) = (user.row.id, session.id);
    user.transaction.emit(UserLogin { user_id, session_id });
    user.audit(Action::Login, Some(session_id), None);
    if upgraded_password.is_some() {
        user.audit(Action::PasswordUpgraded, Some(session_id), None);
    }
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

/// Gives the caller another password and ends all their other sessions. Returns how many.
pub async fn change_password(
    state: &State,
    person: Person,
    current: Password,
    new: Password,
    ip: IpAddr,
) -> Result<usize, AuthError> {
    let known = user::by_id(&*state.db, person.id).await?.ok_or(AuthError::UnknownUser)?;
    let email = Email::parse(&known.email).map_err(|_| AuthError::UnknownUser)?;
    let is_right = state.passwords.verify(current, Some(known.password.clone())).await?;
    if !is_right || limits::is_locked(state, &email, ip).await {
        fail(state, Action::PasswordChangeFailed, &email, Some(known.id), ip).await?;
        return Err(AuthError::WrongCurrentPassword);
    }
    check_strength(state, &new, &known.name, &email)?;
    let password = state.passwords.hash(new).await?;
    let user = LockedUser::lock(state, known.id, Initiator::user_at(ip)).await?;
    let mut user = user.ok_or(AuthError::UnknownUser)?;
    // A login may have upgraded the hash meanwhile; only another change of the password counts.
    if user.row.password != known.password && user.row.generation != known.generation {
        return Err(AuthError::WrongCurrentPassword);
    }
    if user.open_session_by_id(person.session_id).await?.is_none() {
        return Err(AuthError::SessionEnded);
    }
    let change = user::ActiveModel { password: Set(password), ..Default::default() };
    user.update_and_outdate_tokens(change).await?;
    user.audit(Action::PasswordChanged, Some(person.session_id), None);
    let ended = user.end_all(Some(person.session_id), EndReason::PasswordChanged).await?;
    user.commit().await?;
    Ok(ended)
}

async fn fail(
    state: &State,
    action: Action,
    email: &Email,
    user_id: Option<uuid::Uuid>,
    ip: IpAddr,
) -> Result<(), AuthError> {
    limits::count_failed_login(state, email, ip).await;
    let row = audit_row(action, user_id, None, None, Initiator::user_at(ip), state.platform.clock.now());
    audit_log::Entity::insert(row).exec_without_returning(&*state.db).await?;
    Ok(())
}

fn check_strength(state: &State, password: &Password, name: &str, email: &Email) -> Result<(), AuthError> {
    Ok(state.settings.password_policy.check(password, &[name, email.as_str(), "driftsentry"])?)
}
