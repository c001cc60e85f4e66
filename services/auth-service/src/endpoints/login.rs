use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::answers::{Login, logged_in};
use crate::attempt::Attempt;
use crate::credentials;
use crate::device::Device;
use crate::email::Email;
use crate::name::Name;
use crate::password::Password;
use crate::refresh_delivery::wanted;
use crate::state::State;
use http::openapi::Success;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SignupRequest {
    name: Name,
    email: Email,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    password: Password,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    email: Email,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    password: Password,
}

/// Creates a viewer and logs them in.
#[utoipa::path(post, path = "/api/auth/signup", tag = "auth", request_body = SignupRequest, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 201, body = Success<Login>), (status = 409), (status = 429)))]
pub async fn sign_up(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<SignupRequest>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let SignupRequest { name, email, password } = body;
    let attempt = Attempt { email, ip };
    let outcome = credentials::sign_up(&state, name, attempt, password, device(&request)).await;
    logged_in(&state, delivery, StatusCode::CREATED, state.metrics.operation("signup", outcome)?)
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
    let outcome = credentials::log_in(&state, attempt, body.password, device(&request)).await;
    logged_in(&state, delivery, StatusCode::OK, state.metrics.operation("login", outcome)?)
}

fn device(request: &HttpRequest) -> Device {
    let user_agent = request.headers().get(header::USER_AGENT).map(|value| value.as_bytes());
    Device::of(user_agent.map(String::from_utf8_lossy).as_deref())
}
