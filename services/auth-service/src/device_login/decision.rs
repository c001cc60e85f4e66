use std::net::IpAddr;

use sea_orm::ActiveValue::Set;

use super::codes::UserCode;
use super::entity::{self, ActiveModel, DeviceDecision, Model};
use super::limits;
use crate::audit::action::{Action, Initiator};
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits::{check_wrong_codes, count_wrong_code};
use crate::state::State;
use crate::user::locked_user::LockedUser;

/// Returns the login of a user code that waits for a decision.
///
/// # Errors
/// [`AuthError::UnknownDeviceLogin`] if the code is wrong, has expired or was decided. Wrong codes are limited.
pub async fn find(state: &State, code: &UserCode, person: &Person, ip: IpAddr) -> Result<Model, AuthError> {
    check_wrong_codes(state, ip).await?;
    limits::admit_user_code(state, person.id).await?;
    let (hashes, now) = (state.device_codes.hashes(code), state.platform.clock().now());
    let found = entity::waiting(&state.database, hashes, now).await?;
    if found.is_none() {
        count_wrong_code(state, ip).await;
    }
    found.ok_or(AuthError::UnknownDeviceLogin)
}

/// Approves or denies the login of a user code.
pub async fn decide(
    state: &State,
    code: &UserCode,
    decision: DeviceDecision,
    person: &Person,
    ip: IpAddr,
) -> Result<(), AuthError> {
    let login = find(state, code, person, ip).await?;
    let user = LockedUser::lock(state, person.id, Initiator::user_at(ip)).await?;
    let mut user = user.filter(|user| user.row.is_active).ok_or(AuthError::UnknownCaller)?;
    let session = user.open_session_by_id(person.session.id).await?.ok_or(AuthError::SessionEnded)?;
    let row = ActiveModel {
        decided_at: Set(Some(user.now)),
        decision: Set(Some(decision)),
        user_id: Set(Some(user.row.id)),
        session_id: Set(Some(session.id)),
        login_epoch: Set(Some(user.row.login_epoch)),
        acr: Set(Some(session.acr)),
        auth_time: Set(Some(session.authenticated_at())),
        amr: Set(Some(session.amr)),
        ..Default::default()
    };
    if !entity::decide(&user.transaction, login.id, row, user.now).await? {
        return Err(AuthError::UnknownDeviceLogin);
    }
    let action = match decision {
        DeviceDecision::Approved => Action::DeviceLoginApproved,
        DeviceDecision::Denied => Action::DeviceLoginDenied,
    };
    user.audit(action, Some(session.id), None);
    Ok(user.commit().await?)
}
