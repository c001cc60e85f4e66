use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::{Done, Success};
use http::{ApiError, ClientIp, NoQuery, ValidJson, ValidPath};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::view::Passkey;
use super::{discoverable_options, factor, limits as passkey_limits, log_in};
use crate::answers::{Login, login_answer};
use crate::caller::Person;
use crate::session::device::Device;
use crate::state::State;
use crate::token::delivery::wanted;
use crate::user::name::Name;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AssertionRequest {
    /// The `AuthenticationResponseJSON` of the browser.
    #[schema(value_type = Object)]
    assertion: Value,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRequest {
    name: Name,
    /// The `RegistrationResponseJSON` of the browser.
    #[schema(value_type = Object)]
    registration: Value,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasskeyPatch {
    name: Name,
}

/// The options for the browser's API: `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct PasskeyOptions(pub Value);

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewPasskey {
    passkey: Passkey,
    /// New recovery codes; `null` if the user has some.
    recovery_codes: Option<Vec<String>>,
}

/// Returns the options of a login with a passkey, also for a browser's autofill. Their challenge lives 5 minutes.
#[utoipa::path(post, path = "/api/auth/passkeys/login/options", tag = "auth", responses((status = 200, body = Success<PasskeyOptions>), (status = 403), (status = 429)))]
pub async fn get_passkey_login_options(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    passkey_limits::admit_options(&state, ip).await?;
    let outcome = discoverable_options(&state).await;
    Ok(http::ok(PasskeyOptions(state.metrics.operation("passkey_login_options", outcome)?)))
}

/// Logs the user of a passkey in and opens a session.
#[utoipa::path(post, path = "/api/auth/passkeys/login", tag = "auth", request_body = AssertionRequest, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 200, body = Success<Login>), (status = 403), (status = 429)))]
pub async fn log_in_with_passkey(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<AssertionRequest>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let outcome = log_in::log_in(&state, &body.assertion, ip, Device::of_request(&request)).await;
    let logged_in = state.metrics.operation("login_by_passkey", outcome)?;
    login_answer(&state, delivery, StatusCode::OK, logged_in, |login| login)
}

/// Returns the options of a registration in the caller's session. Their challenge lives 5 minutes.
#[utoipa::path(post, path = "/api/auth/factors/passkeys/options", tag = "auth", security(("bearer" = ["viewer"])), responses((status = 200, body = Success<PasskeyOptions>), (status = 403), (status = 409), (status = 429)))]
pub async fn get_passkey_options(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let outcome = factor::begin(&state, &person, ip).await;
    Ok(http::ok(PasskeyOptions(state.metrics.operation("passkey_options", outcome)?)))
}

/// Adds a passkey that the browser created with options of the same session. A user has at most 20.
#[utoipa::path(post, path = "/api/auth/factors/passkeys", tag = "auth", request_body = PasskeyRequest, security(("bearer" = ["viewer"])), responses((status = 201, body = Success<NewPasskey>), (status = 403), (status = 409), (status = 429)))]
pub async fn add_passkey(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<PasskeyRequest>,
) -> Result<HttpResponse, ApiError> {
    let PasskeyRequest { name, registration } = body;
    let outcome = factor::add(&state, &person, name, &registration, ip).await;
    let (passkey, recovery_codes) = state.metrics.operation("add_passkey", outcome)?;
    Ok(http::created(NewPasskey { passkey: passkey.into(), recovery_codes }))
}

/// Renames a passkey of the caller.
#[utoipa::path(patch, path = "/api/auth/factors/passkeys/{id}", tag = "auth", params(("id" = Uuid, Path)), request_body = PasskeyPatch, security(("bearer" = ["viewer"])), responses((status = 200, body = Success<Passkey>), (status = 404), (status = 429)))]
pub async fn rename_passkey(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    ValidJson(body): ValidJson<PasskeyPatch>,
) -> Result<HttpResponse, ApiError> {
    let outcome = factor::rename(&state, &person, id, body.name, ip).await;
    Ok(http::ok(Passkey::from(state.metrics.operation("rename_passkey", outcome)?)))
}

/// Removes a passkey of the caller.
#[utoipa::path(delete, path = "/api/auth/factors/passkeys/{id}", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["viewer"])), responses((status = 200, body = Done), (status = 404), (status = 429)))]
pub async fn remove_passkey(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let outcome = factor::remove(&state, &person, id, ip).await;
    state.metrics.operation("remove_passkey", outcome)?;
    Ok(http::ok(()))
}
