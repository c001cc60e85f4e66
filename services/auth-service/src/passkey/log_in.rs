use std::net::IpAddr;

use serde_json::Value;

use super::challenge::ChallengePurpose;
use super::limits as passkey_limits;
use super::verify::{WRONG, owner_of, verify};
use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::factor::proof::{Shown, within_limits};
use crate::limits;
use crate::login::account_locks::Place;
use crate::login::attempt::Attempt;
use crate::login::guard::refuse;
use crate::login::log_in::{LoggedIn, open_session};
use crate::login::networks::own_network;
use crate::session::changes::Opening;
use crate::session::device::Device;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// Opens a session for the user whose passkey signed a challenge of
/// [`discoverable_options`](super::discoverable_options). Failures count like wrong passwords.
pub async fn log_in(
    state: &State,
    assertion: &Value,
    ip: IpAddr,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    let known = match owner_of(state, assertion).await? {
        Some(id) => user::by_id(&state.database, id).await?,
        None => None,
    };
    let Some(known) = known else {
        refuse(limits::refusal_of_failures(state, ip).await?)?;
        passkey_limits::admit_unknown(state, ip).await?;
        limits::count_failure(state, ip).await;
        return Err(WRONG);
    };
    let enter = async {
        let user = LockedUser::lock(state, known.id, Initiator::user_at(ip)).await?;
        let user = user.filter(|user| user.row.is_active).ok_or(WRONG)?;
        verify(state, &user.transaction, assertion, ChallengePurpose::LogIn, None, user.now).await?;
        limits::admit_success(state, known.id).await?;
        let email = Email::parse(&user.row.email).map_err(AuthError::passkey)?;
        let shown = Shown::PASSKEY_ALONE;
        let opening = Opening {
            device,
            acr: shown.acr,
            amr: shown.added_to(""),
            trusted_device: None,
            auth_time: None,
        };
        open_session(user, &Attempt { email, ip }, opening).await
    };
    within_limits(state, &known, Place::Network(own_network(ip)), ip, enter).await
}
