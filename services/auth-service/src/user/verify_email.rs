//! The verification of the address of an existing user.

use std::net::IpAddr;

use crate::audit::action::Initiator;
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits;
use crate::link::entity::{self as link, Purpose};
use crate::link::proof::Proof;
use crate::link::refusal::LinkRefusal;
use crate::login::networks::own_network;
use crate::state::State;
use crate::user::locked_user::LockedUser;
use crate::user::sign_up::request_verification;

/// Requests the mail that verifies the caller's address.
pub async fn request_again(state: &State, person: &Person, ip: IpAddr) -> Result<link::Model, AuthError> {
    state.mailer.require()?;
    limits::admit_own_mail(state, person.id).await?;
    let user = LockedUser::lock(state, person.id, Initiator::user_at(ip)).await?;
    let user = user.ok_or(AuthError::UnknownCaller)?;
    let row = request_verification(state, &user, own_network(ip)).await?.ok_or(AuthError::NoMail)?;
    user.commit().await?;
    state.mail_is_due.notify_one();
    Ok(row)
}

/// Records that the user receives mail at their address. Returns the address.
pub async fn verify(state: &State, proof: &Proof, ip: IpAddr) -> Result<String, AuthError> {
    limits::admit_link_use(state, ip).await?;
    let link = proof.link(state, Purpose::VerifyEmail, ip).await?;
    let id = link.user_id.ok_or(LinkRefusal::Revoked)?;
    let user = LockedUser::lock(state, id, Initiator::user_at(ip)).await?;
    let mut user = user.ok_or(LinkRefusal::Revoked)?;
    // The user has another address now.
    if user.row.email != link.email {
        return Err(LinkRefusal::Revoked.into());
    }
    user.use_up(&link).await?;
    user.verify_email().await?;
    user.commit().await?;
    Ok(link.email)
}
