use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::Success;
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::raise::{Raised, confirm_again, step_up};
use crate::caller::Person;
use crate::error::AuthError;
use crate::factor::proof::FactorProof;
use crate::passkey::handlers::PasskeyOptions;
use crate::passkey::{ChallengePurpose, request_options};
use crate::password::Password;
use crate::state::State;

/// One of the four.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepUpRequest {
    #[validate(length(max = 64))]
    #[schema(max_length = 64)]
    code: Option<String>,
    #[validate(length(max = 64))]
    #[schema(max_length = 64)]
    recovery_code: Option<String>,
    #[schema(value_type = Option<Object>)]
    assertion: Option<Value>,
    /// For a user without a second factor, who wants to add one.
    #[schema(value_type = Option<String>, min_length = 8, max_length = 255)]
    password: Option<Password>,
}

/// Returns the options of a step-up with one of the caller's passkeys. Their challenge lives 5 minutes.
#[utoipa::path(post, path = "/api/auth/step-up/options", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<PasskeyOptions>), (status = 403), (status = 404), (status = 429)))]
pub async fn get_step_up_options(
    state: Data<State>,
    person: Person,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let outcome = request_options(&state, person.id, person.session.id, ChallengePurpose::StepUp).await;
    Ok(http::ok(PasskeyOptions(state.metrics.operation("step_up_options", outcome)?)))
}

/// Raises the strength of the caller's session by a second factor, for `STEP_UP_MINUTES`.
///
/// Every service accepts the tokens of the session as fresh at once; no new token is needed.
#[utoipa::path(post, path = "/api/auth/step-up", tag = "auth", request_body = StepUpRequest, security(("bearer" = [])), responses((status = 200, body = Success<Raised>), (status = 403), (status = 429)))]
pub async fn raise(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<StepUpRequest>,
) -> Result<HttpResponse, ApiError> {
    let StepUpRequest { code, recovery_code, assertion, password } = body;
    let proof = FactorProof { code, recovery_code, assertion, ..FactorProof::default() };
    let outcome = match (password, proof.given()) {
        (Some(password), Err(_)) => confirm_again(&state, &person, password, ip).await,
        (Some(_), Ok(_)) => Err(AuthError::NoFactor),
        (None, _) => step_up(&state, person.id, person.session.id, &proof, ip).await,
    };
    Ok(http::ok(state.metrics.operation("step_up", outcome)?))
}
