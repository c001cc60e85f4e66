use std::net::IpAddr;

use contracts::Role;

use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::limits;
use crate::link::entity::{Model, Purpose};
use crate::link::proof::Proof;
use crate::link::refusal::LinkRefusal;
use crate::login::attempt::Attempt;
use crate::login::log_in::{LoggedIn, open_session};
use crate::password::Password;
use crate::people_settings::SignupMode;
use crate::session::device::Device;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::{LockedUser, NewUser};
use crate::user::name::Name;

/// Creates the invited user, and logs them in.
pub async fn accept(
    state: &State,
    proof: &Proof,
    name: Name,
    password: Password,
    ip: IpAddr,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    limits::admit_link_use(state, ip).await?;
    if state.settings.people.signup(state.platform.config()) == SignupMode::Off {
        return Err(AuthError::SignupClosed);
    }
    let link = proof.link(state, Purpose::Invitation, ip).await?;
    let email = Email::parse(&link.email).map_err(|_error| LinkRefusal::Foreign)?;
    let (name, attempt) = (String::from(name), Attempt { email, ip });
    state.settings.check_strength(&password, &name, &attempt.email)?;
    let password = state.passwords.hash(password, attempt.path()).await?;
    let role = link.content.role.unwrap_or(Role::Viewer);
    let new = NewUser {
        email_verified: true,
        account_id: link.content.account_id.clone(),
        ..NewUser::new(name, attempt.email.clone(), password, role)
    };
    let mut user = LockedUser::create(state, new, Initiator::user_at(ip)).await?;
    require_inviter(&user, &link).await?;
    user.use_up_creating(&link).await?;
    open_session(user, &attempt, device, None).await
}

/// Refuses the invitation of a person who is no longer an active admin: it could give back the role that they
/// lost. Locks the inviter, so that a demotion comes before or after.
async fn require_inviter(user: &LockedUser<'_>, link: &Model) -> Result<(), AuthError> {
    let inviter = match link.invited_by {
        Some(id) => user::lock(&user.transaction, id).await?,
        None => None,
    };
    let is_admin = inviter.is_some_and(|inviter| inviter.is_active && inviter.role == Role::Admin);
    if is_admin { Ok(()) } else { Err(LinkRefusal::Revoked.into()) }
}
