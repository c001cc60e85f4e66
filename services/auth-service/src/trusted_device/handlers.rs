use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use http::openapi::{Done, Success};
use http::{ApiError, ClientIp, NoQuery, ValidPath};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::cookie::devices_of;
use super::entity as trusted_device;
use crate::audit::action::{Action, Initiator};
use crate::caller::Person;
use crate::error::AuthError;
use crate::limits;
use crate::session::device::Device;
use crate::state::State;
use crate::user::locked_user::LockedUser;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrustedDevice {
    id: Uuid,
    device_info: Device,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    /// Whether the request comes from this device.
    current: bool,
}

/// Lists the devices on which a login of the caller needs no second factor, newest first.
#[utoipa::path(get, path = "/api/auth/trusted-devices", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<Vec<TrustedDevice>>)))]
pub async fn list_trusted_devices(
    state: Data<State>,
    request: HttpRequest,
    person: Person,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let rows = trusted_device::of_user(&state.database, person.id, state.platform.clock().now()).await;
    let own = devices_of(&request, &state);
    let devices = rows.map_err(AuthError::from)?.into_iter().map(|row| {
        let trusted_device::Model { id, device_info, created_at, last_used_at, expires_at, .. } = row;
        TrustedDevice { id, device_info, created_at, last_used_at, expires_at, current: own.contains(&id) }
    });
    Ok(http::ok(devices.collect::<Vec<_>>()))
}

/// Ends the trust in a device of the caller. Its sessions stay open.
#[utoipa::path(delete, path = "/api/auth/trusted-devices/{id}", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = [])), responses((status = 200, body = Done), (status = 404), (status = 429)))]
pub async fn end_trust(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_settings_change(&state, person.id).await?;
    let outcome = end(&state, &person, id, Initiator::user_at(ip)).await;
    state.metrics.operation("end_trust", outcome)?;
    Ok(http::ok(()))
}

async fn end(state: &State, person: &Person, id: Uuid, initiator: Initiator) -> Result<(), AuthError> {
    let user = LockedUser::lock(state, person.id, initiator).await?;
    let mut user = user.ok_or(AuthError::UnknownCaller)?;
    if !trusted_device::revoke(&user.transaction, person.id, id, user.now).await? {
        return Err(AuthError::UnknownFactor);
    }
    user.audit(Action::TrustEnded, Some(person.session.id), None);
    Ok(user.commit().await?)
}
