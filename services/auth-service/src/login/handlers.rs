use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::answers::{Login, logged_in};
use crate::link::handlers::{Requested, requested};
use crate::link::proof::Proof;
use crate::login::attempt::Attempt;
use crate::login::by_mail;
use crate::password::Password;
use crate::people_settings::LoginMethod;
use crate::proof_of_work;
use crate::session::device::Device;
use crate::state::State;
use crate::token::delivery::wanted;
use crate::user::email::Email;
use crate::user::mail_handlers::MailRequest;
use http::openapi::Success;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    email: Email,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    password: Password,
}

/// Sends a mail with a link and a code that log in. The response is the same for every address.
#[utoipa::path(post, path = "/api/auth/login/email", tag = "auth", request_body = MailRequest, responses((status = 202, body = Success<Requested>), (status = 403), (status = 429)))]
pub async fn request_login_mail(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<MailRequest>,
) -> Result<HttpResponse, ApiError> {
    proof_of_work::admit(&state, body.altcha.as_deref()).await?;
    let outcome = by_mail::request_link(&state, &Attempt { email: body.email, ip }).await;
    Ok(requested(state.metrics.operation("request_login_mail", outcome)?))
}

/// Logs in with the link or the code of a mail.
#[utoipa::path(post, path = "/api/auth/login/email/complete", tag = "auth", request_body = Proof, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 200, body = Success<Login>), (status = 403), (status = 429)))]
pub async fn log_in_by_mail(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(proof): ValidJson<Proof>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let outcome = by_mail::complete(&state, &proof, ip, Device::of_request(&request)).await;
    logged_in(&state, delivery, StatusCode::OK, state.metrics.operation("login_by_mail", outcome)?)
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
    state.settings.people.require(LoginMethod::Password)?;
    let attempt = Attempt { email: body.email, ip };
    let outcome = super::log_in::log_in(&state, attempt, body.password, Device::of_request(&request)).await;
    logged_in(&state, delivery, StatusCode::OK, state.metrics.operation("login", outcome)?)
}
