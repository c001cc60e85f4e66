use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::answers::{Login, logged_in};
use crate::login::attempt::Attempt;
use crate::password::Password;
use crate::session::device::Device;
use crate::state::State;
use crate::token::delivery::wanted;
use crate::user::email::Email;
use http::openapi::Success;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    email: Email,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    password: Password,
}

/// Logs a user in and opens a session.
#[utoipa::path(post, path = "/api/auth/login", tag = "auth", request_body = LoginRequest, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 200, body = Success<Login>), (status = 401), (status = 429)))]
pub async fn log_in(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<LoginRequest>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let attempt = Attempt { email: body.email, ip };
    let outcome = super::log_in::log_in(&state, attempt, body.password, Device::of_request(&request)).await;
    logged_in(&state, delivery, StatusCode::OK, state.metrics.operation("login", outcome)?)
}
