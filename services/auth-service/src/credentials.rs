//! Sign-up, login and password change: all operations that take a password.

use std::net::IpAddr;

use contracts::Role;
use contracts::events::auth::{EndReason, UserLogin};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::account_locks::{self, Place};
use crate::attempt::Attempt;
use crate::audit::{Action, Initiator};
use crate::caller::Person;
use crate::device::Device;
use crate::email::Email;
use crate::entity::{audit_log, login_network, session, user};
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

/// Creates a viewer and logs them in. A taken address costs the same work as a new one.
pub async fn sign_up(
    state: &State,
    name: Name,
    attempt: Attempt,
    password: Password,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    limits::admit_attempt(state, &attempt, &Place::Network(attempt.network())).await?;
    limits::admit_signup(state, attempt.ip).await?;
    let name = String::from(name);
    check_strength(state, &password, &name, &attempt.email)?;
    let password = state.passwords.hash(password, attempt.path()).await?;
    // Checked again: others may have run into taken addresses while this one waited for a core.
    limits::check_signup_conflicts(state, attempt.ip).await?;
    let new = NewUser { name, email: attempt.email.clone(), password, role: Role::Viewer };
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

    let found = user::by_email(&state.db, &attempt.email).await?;
    let user_id = found.as_ref().map(|user| user.id);
    let stored = found.as_ref().map(|user| user.password.clone());
    let is_right = state.passwords.verify(password.clone(), stored, attempt.path()).await?;
    // Read again after the comparison: of many concurrent guesses, none may pass once enough were wrong.
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
/// [`AuthError::SessionEnded`] if all sessions of the user were ended since `known` was read: a login must
/// not survive a change that was meant to end it.
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
    let upgraded = match state.passwords.needs_upgrade(&known.password) {
        true => state.passwords.hash(password, attempt.path()).await.ok(),
        false => None,
    };
    let user = LockedUser::lock(state, known.id, Initiator::user_at(attempt.ip)).await?;
    match user {
        Some(user) if user.row.login_epoch != known.login_epoch => Err(AuthError::SessionEnded),
        Some(user) if user.row.is_active => open_session(user, attempt, device, upgraded).await.map(Some),
        _ => Ok(None),
    }
}

async fn open_session(
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
    login_network::record(&user.transaction, user_id, attempt.network(), user.now).await?;
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

/// Changes the caller's password and ends all their other sessions. Returns the number of ended sessions.
pub async fn change_password(
    state: &State,
    person: Person,
    current: Password,
    new: Password,
    ip: IpAddr,
) -> Result<usize, AuthError> {
    let known = user::by_id(&state.db, person.id).await?.ok_or(AuthError::UnknownCaller)?;
    let email = Email::parse(&known.email).map_err(|_| AuthError::UnknownCaller)?;
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
    check_strength(state, &new, &known.name, &attempt.email)?;
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

/// Counts a wrong password. Writes `action` and the locks that start to the audit log.
async fn record_failure(
    state: &State,
    action: Option<Action>,
    attempt: &Attempt,
    user_id: Option<Uuid>,
    place: &Place,
    had_chance: bool,
) -> Result<(), AuthError> {
    let (now, initiator) = (state.platform.clock.now(), Initiator::user_at(attempt.ip));
    let transaction = state.db.begin().await?;
    let account = attempt.account();
    let begun = account_locks::count_failure(&transaction, state, &account, place, had_chance, now).await?;
    let failed = action.map(|action| (action, None));
    let locked = begun.iter().map(|scope| (Action::AccountLocked, Some(scope.name())));
    let rows = failed.into_iter().chain(locked);
    let rows = rows.map(|(action, detail)| audit_row(action, user_id, None, detail, initiator, now));
    let rows = rows.collect::<Vec<_>>();
    if !rows.is_empty() {
        audit_log::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
    }
    transaction.commit().await?;
    if action.is_some() {
        limits::count_failure(state, attempt.ip).await;
    }
    Ok(())
}

/// Refuses with 429 if there are seconds to wait.
fn refuse(seconds: Option<u64>) -> Result<(), AuthError> {
    match seconds {
        Some(retry_after_seconds) => Err(AuthError::TooManyAttempts { retry_after_seconds }),
        None => Ok(()),
    }
}

fn check_strength(state: &State, password: &Password, name: &str, email: &Email) -> Result<(), AuthError> {
    Ok(state.settings.password_policy.check(password, &[name, email.as_str(), "driftsentry"])?)
}
