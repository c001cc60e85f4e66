//! The flows that begin or end with a mail.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::Success;
use http::{ApiError, ClientIp, NoQuery, ValidJson, ValidPath};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::answers::{Login, Terminated, logged_in};
use crate::audit::action::Initiator;
use crate::caller::{Admin, Person};
use crate::link::entity::{Content, Purpose};
use crate::link::handlers::{Requested, requested};
use crate::link::proof::Proof;
use crate::link::request::request;
use crate::login::attempt::Attempt;
use crate::password::Password;
use crate::proof_of_work;
use crate::session::device::Device;
use crate::state::State;
use crate::token::delivery::wanted;
use crate::user::email::Email;
use crate::user::new_email::NewEmail;
use crate::user::{change_email, forgotten_password, sign_up, verify_email};

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MailRequest {
    pub email: Email,
    /// With `ABUSE_PROTECTION=pow`: the solution of a challenge.
    #[schema(max_length = 2048)]
    pub altcha: Option<String>,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordReset {
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    token: Option<String>,
    /// With `code`, in place of `token`.
    request_id: Option<Uuid>,
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    code: Option<String>,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    new_password: Password,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailChange {
    new_email: NewEmail,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    current_password: Password,
}

/// The address of the user now.
#[derive(Serialize, ToSchema)]
pub struct Address {
    email: String,
}

/// Creates the user of a sign-up whose address is verified, and logs them in.
#[utoipa::path(post, path = "/api/auth/signup/complete", tag = "auth", request_body = Proof, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 201, body = Success<Login>), (status = 409), (status = 429)))]
pub async fn complete_sign_up(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(proof): ValidJson<Proof>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let outcome = sign_up::complete(&state, &proof, ip, Device::of_request(&request)).await;
    logged_in(&state, delivery, StatusCode::CREATED, state.metrics.operation("complete_signup", outcome)?)
}

/// Sends a mail with which a user sets a new password. The response is the same for every address.
#[utoipa::path(post, path = "/api/auth/password/forgot", tag = "auth", request_body = MailRequest, responses((status = 202, body = Success<Requested>), (status = 403), (status = 429)))]
pub async fn forgot_password(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<MailRequest>,
) -> Result<HttpResponse, ApiError> {
    proof_of_work::admit(&state, body.altcha.as_deref()).await?;
    let attempt = Attempt { email: body.email, ip };
    let outcome = request(&state, &attempt, Purpose::ResetPassword, Content::default()).await;
    Ok(requested(state.metrics.operation("forgot_password", outcome)?))
}

/// Sends a user the mail to set a new password.
#[utoipa::path(post, path = "/api/auth/users/{id}/password-reset", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 202, body = Success<Requested>), (status = 409), (status = 429)))]
pub async fn send_password_reset(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let initiator = Initiator::admin_at(ip, admin.id);
    let outcome = forgotten_password::send_by_admin(&state, id, admin.id, initiator).await;
    Ok(requested(state.metrics.operation("send_password_reset", outcome)?))
}

/// Sets a new password with the link or the code of a mail, and ends all sessions of the user.
#[utoipa::path(post, path = "/api/auth/password/reset", tag = "auth", request_body = PasswordReset, responses((status = 200, body = Success<Terminated>), (status = 429)))]
pub async fn reset_password(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<PasswordReset>,
) -> Result<HttpResponse, ApiError> {
    let PasswordReset { token, request_id, code, new_password } = body;
    let proof = Proof { token, request_id, code, email: None };
    let outcome = forgotten_password::reset(&state, &proof, new_password, ip).await;
    let terminated = state.metrics.operation("reset_password", outcome)?;
    Ok(http::ok(Terminated { terminated }))
}

/// Sends the mail that verifies the caller's address again.
#[utoipa::path(post, path = "/api/auth/email/verification", tag = "auth", security(("bearer" = [])), responses((status = 202, body = Success<Requested>), (status = 403), (status = 429)))]
pub async fn request_verification(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    Ok(requested(verify_email::request_again(&state, &person, ip).await?))
}

/// Verifies the address of a user.
#[utoipa::path(post, path = "/api/auth/email/verify", tag = "auth", request_body = Proof, responses((status = 200, body = Success<Address>), (status = 429)))]
pub async fn verify_email(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(proof): ValidJson<Proof>,
) -> Result<HttpResponse, ApiError> {
    let outcome = verify_email::verify(&state, &proof, ip).await;
    Ok(http::ok(Address { email: state.metrics.operation("verify_email", outcome)? }))
}

/// Sends a mail to the caller's new address, which takes effect once its link is opened.
#[utoipa::path(post, path = "/api/auth/email", tag = "auth", request_body = EmailChange, security(("bearer" = [])), responses((status = 202, body = Success<Requested>), (status = 403), (status = 429)))]
pub async fn change_email(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<EmailChange>,
) -> Result<HttpResponse, ApiError> {
    let EmailChange { new_email, current_password } = body;
    let outcome = change_email::request_change(&state, &person, new_email.into(), current_password, ip).await;
    Ok(requested(state.metrics.operation("change_email", outcome)?))
}

/// Confirms a new address. The old one receives a link that undoes the change.
#[utoipa::path(post, path = "/api/auth/email/confirm", tag = "auth", request_body = Proof, responses((status = 200, body = Success<Address>), (status = 409), (status = 429)))]
pub async fn confirm_email(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(proof): ValidJson<Proof>,
) -> Result<HttpResponse, ApiError> {
    let outcome = change_email::confirm(&state, &proof, ip).await;
    Ok(http::ok(Address { email: state.metrics.operation("confirm_email", outcome)? }))
}

/// Undoes a change of the address, ends all sessions, and sends the old address a mail to reset the password.
#[utoipa::path(post, path = "/api/auth/email/undo", tag = "auth", request_body = Proof, responses((status = 200, body = Success<Address>), (status = 409), (status = 429)))]
pub async fn undo_email(
    state: Data<State>,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(proof): ValidJson<Proof>,
) -> Result<HttpResponse, ApiError> {
    let outcome = change_email::undo(&state, &proof, ip).await;
    Ok(http::ok(Address { email: state.metrics.operation("undo_email", outcome)? }))
}
