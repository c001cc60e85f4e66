//! The changes that admins make to users.

use contracts::events::auth::EndReason;
use contracts::{AccountId, Role};
use sea_orm::ActiveValue::{NotSet, Set};
use uuid::Uuid;

use crate::audit::action::{Action, Initiator};
use crate::error::AuthError;
use crate::link::entity as link;
use crate::link::revocation::{self, Revoked};
use crate::login::account_locks;
use crate::login::attempt::account;
use crate::login::failure as login_failure;
use crate::state::State;
use crate::user::deletion;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::{LockedAdmins, LockedUser, NewUser};
use crate::user::name::Name;

/// The fields to change. A field that is `None` stays as it is.
#[derive(Default)]
pub struct UserEdit {
    pub name: Option<Name>,
    pub email: Option<Email>,
    pub role: Option<Role>,
    pub is_active: Option<bool>,
    pub account_id: Option<Option<AccountId>>,
}

/// Changes a user. A new role takes effect at the next request and ends no session. A new email is not verified,
/// and nothing that was mailed to the old one works any more. Disabling the user ends all their sessions. If the user is no longer an active admin, their service tokens are revoked.
pub async fn update(
    state: &State,
    id: Uuid,
    change: UserEdit,
    initiator: Initiator,
) -> Result<user::Model, AuthError> {
    let admins = LockedAdmins::lock(state, initiator).await?;
    let is_last_admin = admins.ids == [id];
    let mut user = admins.lock_user(id).await?;

    let name = change.name.map_or_else(|| user.row.name.clone(), String::from);
    let email = change.email.map_or_else(|| user.row.email.clone(), String::from);
    let role = change.role.unwrap_or(user.row.role);
    let is_active = change.is_active.unwrap_or(user.row.is_active);
    let account_id = change.account_id.unwrap_or_else(|| user.row.account_id.clone());
    if is_last_admin && !(role == Role::Admin && is_active) {
        return Err(AuthError::LastAdmin);
    }
    let (was_active, was_admin) = (user.row.is_active, user.is_active_admin());
    let (is_new_name, is_new_email) = (name != user.row.name, email != user.row.email);
    let is_same = (role, is_active, &account_id) == (user.row.role, was_active, &user.row.account_id);
    if is_same && !is_new_name && !is_new_email {
        return Ok(user.row);
    }
    if is_new_email && link::is_reserved(&user.transaction, &email, Some(id), user.now).await? {
        return Err(AuthError::EmailTaken);
    }
    if is_new_email {
        deletion::delete_mail(&user.transaction, id, None).await?;
    }
    let row = user::ActiveModel {
        search: Set(user::search_text(&name, &email)),
        name: Set(name),
        email: Set(email),
        email_verified_at: if is_new_email { Set(None) } else { NotSet },
        role: Set(role),
        is_active: Set(is_active),
        account_id: Set(account_id),
        ..Default::default()
    };
    user.update_and_outdate_tokens(row).await.map_err(AuthError::of_write)?;
    let changed = [(is_new_name, " name=changed"), (is_new_email, " email=changed")];
    let changed = changed.iter().filter(|(is_new, _)| *is_new).map(|(_, text)| *text).collect::<String>();
    let detail = format!("role={role} active={is_active}{changed}");
    user.audit(Action::UserUpdated, None, Some(&detail));
    if was_active && !is_active {
        user.end_all(None, EndReason::AccountDisabled).await?;
    }
    if was_admin && !user.is_active_admin() {
        revocation::revoke_of(&user.transaction, &user.row, Revoked::Invitations, user.now).await?;
        let reason = if is_active { EndReason::Admin } else { EndReason::AccountDisabled };
        user.end_service_tokens(None, reason).await?;
    }
    let row = user.row.clone();
    user.commit().await?;
    Ok(row)
}

/// Creates a user.
pub async fn create(state: &State, new: NewUser, initiator: Initiator) -> Result<user::Model, AuthError> {
    let user = LockedAdmins::lock(state, initiator).await?.create_user(new).await?;
    let row = user.row.clone();
    user.commit().await?;
    Ok(row)
}

/// Ends all sessions of a user. Returns their number.
pub async fn end_sessions(state: &State, id: Uuid, initiator: Initiator) -> Result<usize, AuthError> {
    let mut user = LockedAdmins::lock(state, initiator).await?.lock_user(id).await?;
    let ended = user.end_all(None, EndReason::Admin).await?;
    user.end_personal_tokens(None, EndReason::Admin).await?;
    user.commit().await?;
    Ok(ended)
}

/// Lifts all locks of a user. Returns the number of locks that applied.
pub async fn lift_locks(state: &State, id: Uuid, initiator: Initiator) -> Result<usize, AuthError> {
    let mut user = LockedAdmins::lock(state, initiator).await?.lock_user(id).await?;
    let lifted = lift_locks_of(&mut user).await?;
    user.commit().await?;
    Ok(lifted)
}

/// Lifts all locks of a locked user. Returns the number of locks that applied.
pub async fn lift_locks_of(user: &mut LockedUser<'_>) -> Result<usize, AuthError> {
    let email = Email::parse(&user.row.email).map_err(|_error| AuthError::UnknownUser)?;
    let users = std::slice::from_ref(&user.row);
    let lifted = account_locks::of_users(&user.transaction, user.state, users).await?.len();
    login_failure::delete_of(&user.transaction, &account(&email)).await?;
    if lifted > 0 {
        user.audit(Action::LocksLifted, None, None);
    }
    Ok(lifted)
}
