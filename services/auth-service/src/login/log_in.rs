use contracts::events::auth::UserLogin;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::account_locks::{self, Place};
use super::attempt::Attempt;
use super::guard::{record_failure, refuse};
use super::known_network;
use super::pending::{self, Method};
use crate::audit::action::{Action, Initiator};
use crate::error::AuthError;
use crate::factor::listing::kinds_of;
use crate::factor::proof::Shown;
use crate::limits;
use crate::password::Password;
use crate::session::changes::Opening;
use crate::session::device::Device;
use crate::session::entity as session;
use crate::state::State;
use crate::trusted_device::entity as trusted_device;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// A user and the session that was opened for them.
pub struct LoggedIn {
    pub user: user::Model,
    pub session: session::Model,
}

/// The outcome of a right first factor.
pub enum Entered {
    LoggedIn(Box<LoggedIn>),
    NeedsFactor(Asked),
}

/// A login that waits, and the factors that complete it.
pub struct Asked {
    pub login: pending::Model,
    /// `totp`, `passkey` and `recovery`; none if the user has to add one.
    pub factors: Vec<&'static str>,
}

/// The circumstances of a login.
pub struct Entry {
    pub device: Device,
    pub method: Method,
    /// The trusted devices that the request claims to come from.
    pub trusted_devices: Vec<Uuid>,
    pub upgraded_password: Option<String>,
}

impl Entry {
    pub fn new(device: Device, method: Method) -> Self {
        Self { device, method, trusted_devices: Vec::new(), upgraded_password: None }
    }
}

/// Lets a user in who sends the right password.
///
/// A failed attempt gets the same response after the same work, whether the account is unknown, disabled or
/// active. The response is 429 if a lock or a limit applies. Locks and limits depend on counts alone.
pub async fn log_in(
    state: &State,
    attempt: Attempt,
    password: Password,
    entry: Entry,
) -> Result<Entered, AuthError> {
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
        && let Some(entered) = enter_with_password(state, &attempt, known, password, entry).await?
    {
        return Ok(entered);
    }
    // A refused attempt leaves no row, so the audit log grows no faster than the limits allow.
    let action = refusal.is_none().then_some(Action::LoginFailed);
    record_failure(state, action, &attempt, user_id, &place, has_chance).await?;
    refuse(refusal)?;
    Err(AuthError::BadCredentials)
}

/// Lets a user in whose password was right. Returns `None` if the user may not log in.
///
/// # Errors
/// [`AuthError::SessionEnded`] if all sessions of the user were ended, or the user was deleted, since `known`
/// was read: a login must not survive a change that was meant to end it.
async fn enter_with_password(
    state: &State,
    attempt: &Attempt,
    known: user::Model,
    password: Password,
    entry: Entry,
) -> Result<Option<Entered>, AuthError> {
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
        Some(user) if user.row.is_active => {
            enter(user, attempt, Entry { upgraded_password: upgraded, ..entry }).await.map(Some)
        }
        _ => Ok(None),
    }
}

/// Opens a session, or asks for a second factor: from a user who has one, unless the device is trusted, and from a user
/// who must add one.
pub async fn enter(mut user: LockedUser<'_>, attempt: &Attempt, entry: Entry) -> Result<Entered, AuthError> {
    let Entry { device, method, trusted_devices, upgraded_password } = entry;
    let is_required = user.state.settings.factors.mfa_required.applies_to(user.row.role);
    let trusted = if user.row.has_factor && !trusted_devices.is_empty() {
        trusted_device::use_one(&user.transaction, user.row.id, &trusted_devices, user.now).await?
    } else {
        None
    };
    if let Some(password) = upgraded_password {
        user.update(user::ActiveModel { password: Set(password), ..Default::default() }).await?;
        user.audit(Action::PasswordUpgraded, None, None);
    }
    if (user.row.has_factor && trusted.is_none()) || (is_required && !user.row.has_factor) {
        return ask(user, method).await.map(Entered::NeedsFactor);
    }
    let shown = method.shown();
    let amr =
        trusted.map_or_else(|| shown.added_to(""), |_| Shown::TRUSTED_DEVICE.added_to(&shown.added_to("")));
    let opening = Opening { device, acr: shown.acr, amr, auth_time: None, trusted_device: trusted };
    open_session(user, attempt, opening).await.map(Box::new).map(Entered::LoggedIn)
}

/// Stores a login that waits for its second factor.
async fn ask(mut user: LockedUser<'_>, method: Method) -> Result<Asked, AuthError> {
    let login = pending::Model {
        id: Uuid::new_v4(),
        user_id: user.row.id,
        method,
        is_enrolment: !user.row.has_factor,
        login_epoch: user.row.login_epoch,
        tries: 0,
        totp_secret: None,
        created_at: user.now,
        expires_at: user.now + pending::LIFETIME,
        used_at: None,
    };
    pending::insert(&user.transaction, &login).await?;
    user.audit(Action::SecondFactorAsked, None, Some(method.into()));
    let factors = kinds_of(&user.transaction, &user.row).await?;
    user.commit().await?;
    Ok(Asked { login, factors })
}

/// Opens a session, and records the login.
pub async fn open_session(
    mut user: LockedUser<'_>,
    attempt: &Attempt,
    opening: Opening,
) -> Result<LoggedIn, AuthError> {
    let session = user.open_session(opening, attempt.ip).await?;
    let (user_id, session_id) = (user.row.id, session.id);
    user.transaction.emit(UserLogin { user_id, session_id });
    user.audit(Action::Login, Some(session_id), None);
    known_network::record(&user.transaction, user_id, attempt.network(), user.now).await?;
    let change = user::ActiveModel {
        last_login_at: Set(Some(user.now)),
        last_activity_at: Set(Some(user.now)),
        ..Default::default()
    };
    user.update(change).await?;
    let row = user.row.clone();
    user.commit().await?;
    Ok(LoggedIn { user: row, session })
}
