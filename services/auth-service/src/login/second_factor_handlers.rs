use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::Success;
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::second_factor::{self, Completed};
use crate::answers::{Login, login_answer};
use crate::factor::enrol::NewTotp;
use crate::factor::proof::FactorProof;
use crate::passkey::handlers::PasskeyOptions;
use crate::session::device::Device;
use crate::state::State;
use crate::token::delivery::wanted;
use crate::trusted_device::cookie;

/// The `mfaToken` of a login, and one second factor.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecondFactorRequest {
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    mfa_token: String,
    #[validate(length(max = 64))]
    #[schema(max_length = 64)]
    code: Option<String>,
    #[validate(length(max = 64))]
    #[schema(max_length = 64)]
    recovery_code: Option<String>,
    #[schema(value_type = Option<Object>)]
    assertion: Option<Value>,
    /// The response of the browser to the options of `POST /api/auth/login/enrol/passkey`.
    #[schema(value_type = Option<Object>)]
    registration: Option<Value>,
    /// The name of the new passkey.
    #[validate(length(max = 100))]
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Whether logins in this browser need no second factor for `trustedDeviceDays`.
    #[serde(default)]
    trust_device: bool,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PendingLoginRequest {
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub mfa_token: String,
}

/// The response to a completed login.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompletedLogin {
    #[serde(flatten)]
    login: Login,
    /// Present if the user added a first factor. No other response contains them.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<String>>,
}

/// Completes a login with a second factor.
///
/// A user who has to add a factor first sends the first code of the app of `POST /api/auth/login/enrol/totp`.
#[utoipa::path(post, path = "/api/auth/login/mfa", tag = "auth", request_body = SecondFactorRequest, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 200, body = Success<CompletedLogin>), (status = 401), (status = 429)))]
pub async fn complete_login(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<SecondFactorRequest>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let SecondFactorRequest { mfa_token, code, recovery_code, assertion, registration, name, trust_device } =
        body;
    let proof = FactorProof { code, recovery_code, assertion, registration, name };
    let device = Device::of_request(&request);
    let outcome = second_factor::complete(&state, &mfa_token, &proof, trust_device, device, ip).await;
    let Completed { logged_in, recovery_codes, trusted_device } =
        state.metrics.operation("complete_login", outcome)?;
    let answer = login_answer(&state, delivery, StatusCode::OK, logged_in, |login| CompletedLogin {
        login,
        recovery_codes,
    });
    let mut answer = answer?;
    if let Some(id) = trusted_device {
        let trusted = answer.add_cookie(&cookie::cookie(&state, id));
        trusted.map_err(|error| ApiError::internal(error.to_string()))?;
    }
    Ok(answer)
}

/// Creates the secret of an authenticator app for a user who has to add a second factor before the login is complete.
#[utoipa::path(post, path = "/api/auth/login/enrol/totp", tag = "auth", request_body = PendingLoginRequest, responses((status = 200, body = Success<NewTotp>), (status = 401), (status = 409), (status = 429)))]
pub async fn enrol_totp(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<PendingLoginRequest>,
) -> Result<HttpResponse, ApiError> {
    let outcome = second_factor::begin_totp(&state, &body.mfa_token, ip).await;
    Ok(http::ok(state.metrics.operation("enrol_totp", outcome)?))
}

/// Returns the options of a new passkey for a user who has to add a second factor before the login is complete.
#[utoipa::path(post, path = "/api/auth/login/enrol/passkey", tag = "auth", request_body = PendingLoginRequest, responses((status = 200, body = Success<PasskeyOptions>), (status = 401), (status = 403), (status = 409), (status = 429)))]
pub async fn enrol_passkey(
    state: Data<State>,
    _: NoQuery,
    ValidJson(body): ValidJson<PendingLoginRequest>,
) -> Result<HttpResponse, ApiError> {
    let outcome = second_factor::begin_passkey(&state, &body.mfa_token).await;
    Ok(http::ok(PasskeyOptions(state.metrics.operation("enrol_passkey", outcome)?)))
}

/// Returns the options for completing a login with a passkey. Their challenge lives 5 minutes.
#[utoipa::path(post, path = "/api/auth/login/mfa/options", tag = "auth", request_body = PendingLoginRequest, responses((status = 200, body = Success<PasskeyOptions>), (status = 401), (status = 403), (status = 404), (status = 429)))]
pub async fn get_second_factor_options(
    state: Data<State>,
    _: NoQuery,
    ValidJson(body): ValidJson<PendingLoginRequest>,
) -> Result<HttpResponse, ApiError> {
    let outcome = second_factor::passkey_options(&state, &body.mfa_token).await;
    Ok(http::ok(PasskeyOptions(state.metrics.operation("second_factor_options", outcome)?)))
}
