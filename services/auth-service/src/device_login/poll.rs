use std::net::IpAddr;

use chrono::TimeDelta;

use super::entity::{self, DeviceDecision, Model};
use super::refusal::NoSession;
use crate::audit::action::Initiator;
use crate::error::AuthError;
use crate::limits;
use crate::login::attempt::Attempt;
use crate::login::log_in::{LoggedIn, open_session};
use crate::session::changes::Opening;
use crate::session::device::Device;
use crate::state::State;
use crate::user::email::Email;
use crate::user::locked_user::LockedUser;

/// The shortest interval between two polls of a device.
pub const INTERVAL: TimeDelta = TimeDelta::seconds(5);
/// The browser that the session of a device shows.
const CLIENT: &str = "driftsentry CLI";

/// Opens the session of an approved login, once.
///
/// # Errors
/// [`AuthError::NoSession`] with the reason.
pub async fn poll(
    state: &State,
    device_code: &str,
    ip: IpAddr,
    device: Device,
) -> Result<LoggedIn, AuthError> {
    limits::admit_status(state, ip).await?;
    let id = state.device_codes.read(device_code).ok_or(NoSession::ExpiredToken)?;
    // A genuine code without a row belongs to a login that was deleted after its end.
    let login = entity::by_id(&state.database, id).await?.ok_or(NoSession::ExpiredToken)?;
    let now = state.platform.clock().now();
    if login.expires_at <= now || login.used_at.is_some() {
        return Err(NoSession::ExpiredToken.into());
    }
    if !entity::record_poll(&state.database, id, now, INTERVAL).await? {
        return Err(NoSession::SlowDown.into());
    }
    match login.decision {
        None => Err(NoSession::AuthorizationPending.into()),
        Some(DeviceDecision::Denied) => Err(NoSession::AccessDenied.into()),
        Some(DeviceDecision::Approved) => enter(state, login, ip, device).await,
    }
}

/// Opens a session for the user who approved a login.
async fn enter(state: &State, login: Model, ip: IpAddr, device: Device) -> Result<LoggedIn, AuthError> {
    let (user_id, session_id) = login.user_id.zip(login.session_id).ok_or(NoSession::AccessDenied)?;
    limits::admit_success(state, user_id).await?;
    let user = LockedUser::lock(state, user_id, Initiator::user_at(ip)).await?;
    let user = user.filter(|user| user.row.is_active && Some(user.row.login_epoch) == login.login_epoch);
    let user = user.ok_or(NoSession::AccessDenied)?;
    let approving = user.open_session_by_id(session_id).await?;
    let approving = approving.filter(|session| session.is_live(user.now, state.settings.idle_timeout()));
    let approving = approving.ok_or(NoSession::AccessDenied)?;
    if !entity::use_up(&user.transaction, login.id, user.now).await? {
        return Err(NoSession::ExpiredToken.into());
    }
    let email = Email::parse(&user.row.email).map_err(|_error| NoSession::AccessDenied)?;
    let device =
        Device { browser: Some(CLIENT.into()), os: login.name, device: Some("other".into()), ..device };
    let opening = Opening {
        device,
        acr: login.acr.unwrap_or_default(),
        amr: login.amr.unwrap_or_default(),
        auth_time: login.auth_time,
        trusted_device: approving.trusted_device_id,
    };
    open_session(user, &Attempt { email, ip }, opening).await
}
