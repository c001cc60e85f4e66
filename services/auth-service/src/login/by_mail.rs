use std::net::IpAddr;

use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::limits;
use crate::link::entity::{self as link, Content, Purpose};
use crate::link::proof::Proof;
use crate::link::refusal::LinkRefusal;
use crate::link::request::request;
use crate::login::attempt::Attempt;
use crate::login::log_in::{LoggedIn, open_session};
use crate::people_settings::LoginMethod;
use crate::session::device::Device;
use crate::state::State;
use crate::user::email::Email;
use crate::user::locked_user::LockedUser;

/// Requests a link that logs in.
pub async fn request_link(state: &State, attempt: &Attempt) -> Result<link::Model, AuthError> {
    state.settings.people.require(LoginMethod::Email)?;
    request(state, attempt, Purpose::LogIn, Content::default()).await
}

/// Opens a session for the reader of a mail. The session belongs to the client that sends the proof, never to
/// the page that requested the link: a thief could have requested it.
pub async fn complete(
    state: &State,
    proof: &Proof,
    ip: IpAddr,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    state.settings.people.require(LoginMethod::Email)?;
    limits::admit_link_use(state, ip).await?;
    let link = proof.link(state, Purpose::LogIn, ip).await?;
    let id = link.user_id.ok_or(LinkRefusal::Revoked)?;
    limits::admit_success(state, id).await?;
    let user = LockedUser::lock(state, id, Initiator::user_at(ip)).await?;
    let user = user.filter(|user| user.row.is_active && user.row.email == link.email);
    let mut user = user.ok_or(LinkRefusal::Revoked)?;
    user.use_up(&link).await?;
    user.verify_email().await?;
    let email = Email::parse(&link.email).map_err(|_error| LinkRefusal::Foreign)?;
    open_session(user, &Attempt { email, ip }, device, None).await
}
