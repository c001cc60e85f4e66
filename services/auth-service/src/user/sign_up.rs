use contracts::Role;
use sea_orm::DbErr;

use super::locked_user::{LockedUser, NewUser};
use super::name::Name;
use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::limits;
use crate::link::entity::{self as link, Content, Purpose};
use crate::link::proof::Proof;
use crate::link::refusal::LinkRefusal;
use crate::link::request::{request, write};
use crate::login::attempt::Attempt;
use crate::login::log_in::{LoggedIn, open_session};
use crate::password::Password;
use crate::session::device::Device;
use crate::state::State;
use crate::user::email::Email;

/// The outcome of a sign-up.
pub enum SignedUp {
    LoggedIn(Box<LoggedIn>),
    /// The account is created once the link in a mail is opened.
    Requested(Box<link::Model>),
}

/// Creates a viewer and logs them in, or sends a link that does so. A taken address costs the same work as a
/// new one.
pub async fn sign_up(
    state: &State,
    name: Name,
    attempt: Attempt,
    password: Password,
    device: Device,
) -> Result<SignedUp, AuthError> {
    state.settings.people.admit_signup(state.platform.config(), &attempt.email)?;
    limits::admit_signup(state, &attempt).await?;
    let name = String::from(name);
    state.settings.check_strength(&password, &name, &attempt.email)?;
    let password = state.passwords.hash(password, attempt.path()).await?;
    if state.settings.people.verifies_email() {
        let content = Content { name: Some(name), password: Some(password), ..Content::default() };
        return request(state, &attempt, Purpose::SignUp, content)
            .await
            .map(Box::new)
            .map(SignedUp::Requested);
    }
    // Checked again: other sign-ups may have used up the limit while this one waited for a core.
    limits::check_signup_conflicts(state, attempt.ip).await?;
    let new = NewUser::new(name, attempt.email.clone(), password, Role::Viewer);
    match LockedUser::create(state, new, Initiator::user_at(attempt.ip)).await {
        Ok(user) => {
            request_verification(state, &user, attempt.network()).await?;
            open_session(user, &attempt, device, None).await.map(Box::new).map(SignedUp::LoggedIn)
        }
        Err(error) => {
            if matches!(error, AuthError::EmailTaken) {
                limits::admit_signup_conflict(state, attempt.ip).await?;
            }
            Err(error)
        }
    }
}

/// Requests the mail that verifies the address of a locked user, if this installation sends mails.
pub async fn request_verification(
    state: &State,
    user: &LockedUser<'_>,
    network: String,
) -> Result<Option<link::Model>, DbErr> {
    let (true, Ok(email)) = (state.mailer.is_on(), Email::parse(&user.row.email)) else { return Ok(None) };
    let id = Some(user.row.id);
    let row = link::new(Purpose::VerifyEmail, id, &email, Content::default(), Some(network), user.now);
    write(&user.transaction, &row).await?;
    Ok(Some(row))
}

/// Creates the account of a sign-up whose address is verified now, and logs in.
pub async fn complete(
    state: &State,
    proof: &Proof,
    ip: std::net::IpAddr,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    limits::admit_link_use(state, ip).await?;
    let link = proof.link(state, Purpose::SignUp, ip).await?;
    let email = Email::parse(&link.email).map_err(|_error| LinkRefusal::Foreign)?;
    // The mode may have changed since the request.
    state.settings.people.admit_signup(state.platform.config(), &email)?;
    let (Some(name), Some(password)) = (link.content.name.clone(), link.content.password.clone()) else {
        return Err(LinkRefusal::Foreign.into());
    };
    let new = NewUser { email_verified: true, ..NewUser::new(name, email.clone(), password, Role::Viewer) };
    let mut user = LockedUser::create(state, new, Initiator::user_at(ip)).await?;
    user.use_up_creating(&link).await?;
    open_session(user, &Attempt { email, ip }, device, None).await
}
