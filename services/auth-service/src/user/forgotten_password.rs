//! A new password for a user who has forgotten theirs, by a mail.

use std::net::IpAddr;

use contracts::events::auth::EndReason;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use crate::audit::action::{Action, Initiator};
use crate::error::AuthError;
use crate::limits;
use crate::link::entity::{self as link, Content, Purpose};
use crate::link::proof::Proof;
use crate::link::refusal::LinkRefusal;
use crate::link::request::write;
use crate::login::attempt::Attempt;
use crate::mail_queue::entity::{self as mail, NewMail, Template};
use crate::password::Password;
use crate::state::State;
use crate::user::admin::lift_locks_of;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::{LockedAdmins, LockedUser};

/// Sends a user the mail to set a new password, at the request of an admin.
pub async fn send_by_admin(
    state: &State,
    id: Uuid,
    admin: Uuid,
    initiator: Initiator,
) -> Result<link::Model, AuthError> {
    state.mailer.require()?;
    limits::admit_admin_mail(state, admin).await?;
    let user = LockedAdmins::lock(state, initiator).await?.lock_user(id).await?;
    let email = Email::parse(&user.row.email).map_err(|_error| AuthError::UnknownUser)?;
    if !user.row.is_active {
        return Err(AuthError::Disabled);
    }
    let row = link::new(Purpose::ResetPassword, Some(id), &email, Content::default(), None, user.now);
    write(&user.transaction, &row).await?;
    user.commit().await?;
    state.mail_is_due.notify_one();
    Ok(row)
}

/// Sets a new password, ends all sessions and outstanding links of the user, and lifts the locks. Opens no
/// session, so that a second factor stays in force. Returns the number of ended sessions.
pub async fn reset(state: &State, proof: &Proof, new: Password, ip: IpAddr) -> Result<usize, AuthError> {
    limits::admit_link_use(state, ip).await?;
    let link = proof.link(state, Purpose::ResetPassword, ip).await?;
    let known = match link.user_id {
        Some(id) => user::by_id(&state.database, id).await?,
        None => None,
    };
    let known = known.filter(|user| user.is_active).ok_or(LinkRefusal::Revoked)?;
    let email = Email::parse(&link.email).map_err(|_error| LinkRefusal::Foreign)?;
    state.settings.check_strength(&new, &known.name, &email)?;
    let attempt = Attempt { email, ip };
    let password = state.passwords.hash(new, attempt.path()).await?;
    let user = LockedUser::lock(state, known.id, Initiator::user_at(ip)).await?;
    let mut user = user.filter(|user| user.row.is_active).ok_or(LinkRefusal::Revoked)?;
    if user.row.email != link.email {
        return Err(LinkRefusal::Revoked.into());
    }
    user.use_up(&link).await?;
    let change = user::ActiveModel { password: Set(password), ..Default::default() };
    user.update_and_outdate_tokens(change).await?;
    user.verify_email().await?;
    user.audit(Action::PasswordReset, None, None);
    let ended = user.end_all(None, EndReason::PasswordReset).await?;
    lift_locks_of(&mut user).await?;
    let notice = NewMail {
        template: Template::PasswordResetDone,
        link: None,
        user_id: Some(user.row.id),
        recipient: &user.row.email,
        language: user.row.language.clone(),
        content: mail::MailContent { name: Some(user.row.name.clone()), ..Default::default() },
    };
    mail::write(&user.transaction, notice, user.now).await?;
    user.commit().await?;
    state.mail_is_due.notify_one();
    Ok(ended)
}
