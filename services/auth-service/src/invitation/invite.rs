//! The changes that admins make to invitations. All hold the locks of the active admins, so that an admin who
//! is demoted at the same time invites nobody.

use contracts::events::auth::UserInvited;
use contracts::{AccountId, Role};
use sea_orm::{DbErr, EntityTrait};
use uuid::Uuid;

use crate::audit::action::{Action, Initiator};
use crate::audit::entity as audit_log;
use crate::error::AuthError;
use crate::invitation::entity as invitation;
use crate::limits;
use crate::link::entity::{self as link, Content, Purpose};
use crate::link::request::write;
use crate::link::revocation;
use crate::people_settings::SignupMode;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::{LockedAdmins, audit_row};

/// The person to invite.
pub struct Invitee {
    pub email: Email,
    pub name: Option<String>,
    pub role: Role,
    pub account_id: Option<AccountId>,
}

/// Invites a person.
///
/// # Errors
/// [`AuthError::EmailTaken`] if the address has a user.
pub async fn invite(
    state: &State,
    invitee: Invitee,
    admin: Uuid,
    initiator: Initiator,
) -> Result<link::Model, AuthError> {
    let admins = begin(state, admin, initiator).await?;
    let Invitee { email, name, role, account_id } = invitee;
    if user::by_email(&admins.transaction, &email).await?.is_some() {
        return Err(AuthError::EmailTaken);
    }
    let content = Content { name, role: Some(role), account_id, password: None };
    // An earlier invitation may have had another role.
    revocation::revoke_to(&admins.transaction, email.as_str(), Purpose::Invitation, admins.now()).await?;
    send(state, admins, &email, content, admin, initiator).await
}

/// Replaces an invitation that was neither accepted nor revoked by a new one, and returns the new one.
pub async fn resend(
    state: &State,
    id: Uuid,
    admin: Uuid,
    initiator: Initiator,
) -> Result<link::Model, AuthError> {
    let admins = begin(state, admin, initiator).await?;
    let found = invitation::by_id(&admins.transaction, id).await?.ok_or(AuthError::UnknownInvitation)?;
    if found.used_at.is_some() || found.revoked_at.is_some() {
        return Err(AuthError::UnknownInvitation);
    }
    let email = Email::parse(&found.email).map_err(|_error| AuthError::UnknownInvitation)?;
    revocation::revoke(&admins.transaction, id, admins.now()).await?;
    send(state, admins, &email, found.content, admin, initiator).await
}

/// Writes an invitation, and commits. The admin who sends it answers for it.
async fn send(
    state: &State,
    mut admins: LockedAdmins<'_>,
    email: &Email,
    content: Content,
    admin: Uuid,
    initiator: Initiator,
) -> Result<link::Model, AuthError> {
    let role = content.role.unwrap_or(Role::Viewer);
    let row = link::new(Purpose::Invitation, None, email, content, None, admins.now());
    let row = link::Model { invited_by: Some(admin), ..row };
    write(&admins.transaction, &row).await?;
    admins.transaction.emit(UserInvited { invitation_id: row.id, role });
    record(&admins, Action::UserInvited, initiator, role).await?;
    admins.transaction.commit().await?;
    state.mail_is_due.notify_one();
    Ok(row)
}

/// Revokes an open invitation.
pub async fn revoke(state: &State, id: Uuid, initiator: Initiator) -> Result<link::Model, AuthError> {
    let admins = LockedAdmins::lock(state, initiator).await?;
    let found = invitation::by_id(&admins.transaction, id).await?.ok_or(AuthError::UnknownInvitation)?;
    if revocation::revoke(&admins.transaction, id, admins.now()).await? {
        let role = found.content.role.unwrap_or(Role::Viewer);
        record(&admins, Action::InvitationRevoked, initiator, role).await?;
    }
    let row = invitation::by_id(&admins.transaction, id).await?.ok_or(AuthError::UnknownInvitation)?;
    admins.transaction.commit().await?;
    Ok(row)
}

/// Locks the admins, unless no invitation may be sent now.
async fn begin(state: &State, admin: Uuid, initiator: Initiator) -> Result<LockedAdmins<'_>, AuthError> {
    state.mailer.require()?;
    if state.settings.people.signup(state.platform.config()) == SignupMode::Off {
        return Err(AuthError::SignupClosed);
    }
    limits::admit_admin_mail(state, admin).await?;
    LockedAdmins::lock(state, initiator).await
}

async fn record(
    admins: &LockedAdmins<'_>,
    action: Action,
    initiator: Initiator,
    role: Role,
) -> Result<(), DbErr> {
    let detail = format!("role={role}");
    let row = audit_row(action, None, None, Some(&detail), initiator, admins.now());
    audit_log::Entity::insert(row).exec_without_returning(&admins.transaction).await.map(drop)
}
