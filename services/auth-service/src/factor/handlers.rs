use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::{Done, Success};
use http::{ApiError, ClientIp, NoQuery, ValidJson, ValidPath};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::enrol::{self, NewTotp};
use super::listing::{self, Factors};
use crate::audit::action::Initiator;
use crate::caller::{Admin, Person};
use crate::error::AuthError;
use crate::limits;
use crate::state::State;
use crate::step_up;
use crate::user::locked_user::LockedAdmins;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// The six digits of the app.
    #[validate(length(max = 64))]
    #[schema(max_length = 64)]
    code: String,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Recovery codes, each of which stands in once for a lost second factor. No other response contains them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewCodes {
    /// `null` if the user has some already.
    recovery_codes: Option<Vec<String>>,
}

/// Lists the caller's second factors.
#[utoipa::path(get, path = "/api/auth/factors", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<Factors>)))]
pub async fn list_factors(state: Data<State>, person: Person, _: NoQuery) -> Result<HttpResponse, ApiError> {
    Ok(http::ok(listing::of_person(&state, &person).await?))
}

/// Creates the secret of an authenticator app, which `POST /api/auth/factors/totp/confirm` confirms.
#[utoipa::path(post, path = "/api/auth/factors/totp", tag = "auth", request_body = Nothing, security(("bearer" = [])), responses((status = 200, body = Success<NewTotp>), (status = 403), (status = 409), (status = 429)))]
pub async fn begin_totp(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(Nothing {}): ValidJson<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let outcome = enrol::begin_totp(&state, &person, ip).await;
    Ok(http::ok(state.metrics.operation("begin_totp", outcome)?))
}

/// Confirms an authenticator app with its first code. The response has ten recovery codes if the caller has none.
#[utoipa::path(post, path = "/api/auth/factors/totp/confirm", tag = "auth", request_body = CodeRequest, security(("bearer" = [])), responses((status = 200, body = Success<NewCodes>), (status = 403), (status = 429)))]
pub async fn confirm_totp(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<CodeRequest>,
) -> Result<HttpResponse, ApiError> {
    let outcome = enrol::confirm_totp(&state, &person, &body.code, ip).await;
    Ok(http::ok(NewCodes { recovery_codes: state.metrics.operation("confirm_totp", outcome)? }))
}

/// Removes the caller's authenticator app.
#[utoipa::path(delete, path = "/api/auth/factors/totp", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Done), (status = 403), (status = 404), (status = 409), (status = 429)))]
pub async fn remove_totp(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let outcome = enrol::remove_totp(&state, &person, ip).await;
    state.metrics.operation("remove_totp", outcome)?;
    Ok(http::ok(()))
}

/// Creates ten recovery codes in place of the caller's earlier ones.
#[utoipa::path(post, path = "/api/auth/factors/recovery-codes", tag = "auth", request_body = Nothing, security(("bearer" = [])), responses((status = 200, body = Success<NewCodes>), (status = 403), (status = 404), (status = 429)))]
pub async fn replace_recovery_codes(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(Nothing {}): ValidJson<Nothing>,
) -> Result<HttpResponse, ApiError> {
    let outcome = enrol::replace_codes(&state, &person, ip).await;
    let codes = state.metrics.operation("replace_recovery_codes", outcome)?;
    Ok(http::ok(NewCodes { recovery_codes: Some(codes) }))
}

/// Removes all second factors of a user who lost them, and ends the user's sessions. The user is told by mail.
#[utoipa::path(delete, path = "/api/auth/users/{id}/factors", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Done), (status = 403), (status = 404), (status = 429)))]
pub async fn reset_factors(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_admin_change(&state, admin.id).await?;
    step_up::require(&state, admin.id, admin.session).await?;
    let outcome = reset(&state, id, Initiator::admin_at(ip, admin.id)).await;
    state.metrics.operation("reset_factors", outcome)?;
    Ok(http::ok(()))
}

async fn reset(state: &State, id: Uuid, initiator: Initiator) -> Result<(), AuthError> {
    let mut user = LockedAdmins::lock(state, initiator).await?.lock_user(id).await?;
    if !user.row.has_factor {
        return Err(AuthError::UnknownFactor);
    }
    user.reset_factors().await?;
    Ok(user.commit().await?)
}
