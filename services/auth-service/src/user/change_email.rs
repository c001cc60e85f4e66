//! A change of the user's address: confirmed at the new one, and undone from the old one within 72 hours.

use std::net::IpAddr;

use contracts::events::auth::EndReason;
use sea_orm::ActiveValue::Set;

use crate::audit::action::{Action, Initiator};
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits;
use crate::link::entity::{self as link, Content, Purpose};
use crate::link::proof::Proof;
use crate::link::refusal::LinkRefusal;
use crate::link::request::write;
use crate::link::revocation::{self, Revoked};
use crate::login::networks::own_network;
use crate::password::{self, Password};
use crate::state::State;
use crate::user::confirm_password::confirm_password;
use crate::user::email::Email;
use crate::user::entity::{self as user, search_text};
use crate::user::locked_user::LockedUser;

/// Requests a link to the new address. A taken address gets the same response, and its owner no mail.
pub async fn request_change(
    state: &State,
    person: &Person,
    new: Email,
    current: Password,
    ip: IpAddr,
) -> Result<link::Model, AuthError> {
    state.mailer.require()?;
    state.settings.people.admit_address(state.platform.config(), &new)?;
    confirm_password(state, person, current, ip).await?;
    limits::admit_own_mail(state, person.id).await?;
    let (id, network) = (Some(person.id), Some(own_network(ip)));
    let user = LockedUser::lock(state, person.id, Initiator::user_at(ip)).await?;
    let user = user.ok_or(AuthError::UnknownCaller)?;
    // An earlier address may have been a mistake.
    revocation::revoke_of(&user.transaction, &user.row, Revoked::Changes, user.now).await?;
    let row = link::new(Purpose::ChangeEmail, id, &new, Content::default(), network, user.now);
    write(&user.transaction, &row).await?;
    user.commit().await?;
    state.mail_is_due.notify_one();
    Ok(row)
}

/// Sets the address that the link was sent to. Sends the old address a link that undoes the change.
pub async fn confirm(state: &State, proof: &Proof, ip: IpAddr) -> Result<String, AuthError> {
    limits::admit_link_use(state, ip).await?;
    let link = proof.link(state, Purpose::ChangeEmail, ip).await?;
    let mut user = owner(state, &link, ip).await?;
    user.use_up(&link).await?;
    let old = Email::parse(&user.row.email).map_err(|_error| LinkRefusal::Foreign)?;
    set_email(&mut user, &link.email).await?;
    user.note_verified(Action::EmailChanged);
    let undo = link::new(Purpose::UndoEmail, Some(user.row.id), &old, Content::default(), None, user.now);
    write(&user.transaction, &undo).await?;
    user.commit().await?;
    state.mail_is_due.notify_one();
    Ok(link.email)
}

/// Restores the old address, because a thief may have changed it. Ends all sessions and the password: the owner
/// receives a mail to set a new one.
pub async fn undo(state: &State, proof: &Proof, ip: IpAddr) -> Result<String, AuthError> {
    limits::admit_link_use(state, ip).await?;
    let link = proof.link(state, Purpose::UndoEmail, ip).await?;
    let mut user = owner(state, &link, ip).await?;
    user.use_up(&link).await?;
    set_email(&mut user, &link.email).await?;
    // The thief may know the password. The owner sets a new one with the mail that follows.
    let no_password = user::ActiveModel { password: Set(password::unusable()), ..Default::default() };
    user.update(no_password).await?;
    user.audit(Action::EmailRestored, None, None);
    user.end_all(None, EndReason::EmailRestored).await?;
    // Links of later changes would restore the addresses of the thief.
    revocation::revoke_later_undos(&user.transaction, &link, user.now).await?;
    let email = Email::parse(&link.email).map_err(|_error| LinkRefusal::Foreign)?;
    let (id, now) = (Some(user.row.id), user.now);
    let reset = link::new(Purpose::ResetPassword, id, &email, Content::default(), None, now);
    write(&user.transaction, &reset).await?;
    user.commit().await?;
    state.mail_is_due.notify_one();
    Ok(link.email)
}

async fn owner<'a>(state: &'a State, link: &link::Model, ip: IpAddr) -> Result<LockedUser<'a>, AuthError> {
    let id = link.user_id.ok_or(LinkRefusal::Revoked)?;
    let user = LockedUser::lock(state, id, Initiator::user_at(ip)).await?;
    Ok(user.filter(|user| user.row.is_active).ok_or(LinkRefusal::Revoked)?)
}

/// Sets a verified address, and outdates the access tokens, which hold the old one.
async fn set_email(user: &mut LockedUser<'_>, email: &str) -> Result<(), AuthError> {
    let email = Email::parse(email).map_err(|_error| LinkRefusal::Foreign)?;
    let taken = user::by_email(&user.transaction, &email).await?;
    let is_reserved =
        link::is_reserved(&user.transaction, email.as_str(), Some(user.row.id), user.now).await?;
    if is_reserved || taken.is_some_and(|other| other.id != user.row.id) {
        return Err(AuthError::EmailTaken);
    }
    let change = user::ActiveModel {
        search: Set(search_text(&user.row.name, &email)),
        email: Set(email.into()),
        email_verified_at: Set(Some(user.now)),
        ..Default::default()
    };
    user.update_and_outdate_tokens(change).await.map_err(AuthError::of_write)
}
