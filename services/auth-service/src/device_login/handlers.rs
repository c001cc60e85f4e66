use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use http::openapi::{Done, Success};
use http::{ApiError, ClientIp, NoQuery, ValidJson, ValidPath};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::codes::UserCode;
use super::entity::{DeviceDecision, LIFETIME, Model};
use super::{decision, poll, request};
use crate::answers::{Login, login_answer};
use crate::caller::Person;
use crate::session::device::Device;
use crate::state::State;
use crate::step_up;
use crate::token::delivery::wanted;
use crate::user::name::Name;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct DeviceRequest {
    /// The name of the device, which the page of the approval shows.
    name: Option<Name>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceAuthorization {
    /// For `POST /device/token`. The device shows it to nobody.
    device_code: String,
    /// Eight letters that a person types, such as `BCDF-GHJK`.
    #[schema(pattern = "^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$")]
    user_code: String,
    /// The page of the approval; relative to the address of the server without `PUBLIC_URL`.
    verification_uri: String,
    /// The page with the user code filled in.
    verification_uri_complete: String,
    /// Seconds until both codes expire.
    expires_in: i64,
    /// Seconds to wait between two requests of `POST /device/token`.
    interval: i64,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceCode {
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    device_code: String,
}

/// A login that waits for a decision.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingDevice {
    name: Option<String>,
    /// The address that requested the login.
    ip_address: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl From<Model> for WaitingDevice {
    fn from(login: Model) -> Self {
        let Model { name, ip_address, created_at, expires_at, .. } = login;
        Self { name, ip_address, created_at, expires_at }
    }
}

/// Starts the login of a device without a browser (RFC 8628).
///
/// A person approves the user code in a session of theirs. Meanwhile the device polls `POST /device/token`.
#[utoipa::path(post, path = "/api/auth/device/authorize", tag = "auth", request_body = DeviceRequest, responses((status = 200, body = Success<DeviceAuthorization>), (status = 429)))]
pub async fn authorize_device(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<DeviceRequest>,
) -> Result<HttpResponse, ApiError> {
    let outcome = request::request(&state, body.name.map(String::from), ip).await;
    let (login, user_code) = state.metrics.operation("authorize_device", outcome)?;
    let base = state.settings.people.mail.public_url.as_deref().unwrap_or_default();
    let (page, user_code) = (format!("{base}/#/device"), user_code.shown());
    Ok(http::ok(DeviceAuthorization {
        device_code: state.device_codes.device_code(login.id),
        verification_uri_complete: format!("{page}?code={user_code}"),
        verification_uri: page,
        user_code,
        expires_in: LIFETIME.num_seconds(),
        interval: poll::INTERVAL.num_seconds(),
    }))
}

/// Returns the session of an approved device login, once.
///
/// Until then, the error 400 has one of these reasons in `details.reason`: `authorization_pending`, `slow_down`,
/// `expired_token` or `access_denied`. The session has the strength of the session that approved the login.
#[utoipa::path(post, path = "/api/auth/device/token", tag = "auth", request_body = DeviceCode, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 200, body = Success<Login>), (status = 429)))]
pub async fn poll_device_login(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<DeviceCode>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let polled = poll::poll(&state, &body.device_code, ip, Device::of_request(&request)).await;
    let polled = state.metrics.operation("poll_device_login", polled)?;
    login_answer(&state, delivery, StatusCode::OK, polled, |login| login)
}

/// Describes a device login that waits for a decision.
#[utoipa::path(get, path = "/api/auth/device/{userCode}", tag = "auth", params(("userCode" = String, Path)), security(("bearer" = [])), responses((status = 200, body = Success<WaitingDevice>), (status = 429)))]
pub async fn show_device_login(
    state: Data<State>,
    person: Person,
    _: NoQuery,
    ClientIp(ip): ClientIp,
    ValidPath(code): ValidPath<UserCode>,
) -> Result<HttpResponse, ApiError> {
    Ok(http::ok(WaitingDevice::from(decision::find(&state, &code, &person, ip).await?)))
}

/// Lets a device act as the caller: its next poll gets a session. A caller with a second factor has to have shown it
/// lately.
#[utoipa::path(post, path = "/api/auth/device/{userCode}/approve", tag = "auth", params(("userCode" = String, Path)), security(("bearer" = [])), responses((status = 200, body = Done), (status = 429)))]
pub async fn approve_device_login(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(code): ValidPath<UserCode>,
) -> Result<HttpResponse, ApiError> {
    step_up::require(&state, person.id, Some(person.session.id)).await?;
    let outcome = decision::decide(&state, &code, DeviceDecision::Approved, &person, ip).await;
    state.metrics.operation("approve_device_login", outcome)?;
    Ok(http::ok(()))
}

/// Ends a device login without a session.
#[utoipa::path(post, path = "/api/auth/device/{userCode}/deny", tag = "auth", params(("userCode" = String, Path)), security(("bearer" = [])), responses((status = 200, body = Done), (status = 429)))]
pub async fn deny_device_login(
    state: Data<State>,
    person: Person,
    _: NoQuery,
    ValidPath(code): ValidPath<UserCode>,
    ClientIp(ip): ClientIp,
) -> Result<HttpResponse, ApiError> {
    let outcome = decision::decide(&state, &code, DeviceDecision::Denied, &person, ip).await;
    state.metrics.operation("deny_device_login", outcome)?;
    Ok(http::ok(()))
}
