use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::answers::{Login, Terminated, logged_in};
use crate::caller::Person;
use crate::link::handlers::{Requested, requested};
use crate::login::attempt::Attempt;
use crate::password::Password;
use crate::proof_of_work;
use crate::session::device::Device;
use crate::state::State;
use crate::token::delivery::wanted;
use crate::user::name::Name;
use crate::user::new_email::NewEmail;
use crate::user::sign_up::SignedUp;
use http::openapi::Success;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SignupRequest {
    name: Name,
    email: NewEmail,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    password: Password,
    /// With `ABUSE_PROTECTION=pow`: the payload of the altcha widget, the solution of a challenge
    #[schema(max_length = 2048)]
    altcha: Option<String>,
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordChange {
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    current_password: Password,
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    new_password: Password,
}

/// Changes the caller's password and ends their other sessions.
#[utoipa::path(post, path = "/api/auth/password", tag = "auth", request_body = PasswordChange, security(("bearer" = [])), responses((status = 200, body = Success<Terminated>), (status = 429)))]
pub async fn change_password(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<PasswordChange>,
) -> Result<HttpResponse, ApiError> {
    let PasswordChange { current_password, new_password } = body;
    let outcome =
        super::change_password::change_password(&state, person, current_password, new_password, ip).await;
    let terminated = state.metrics.operation("change_password", outcome)?;
    Ok(http::ok(Terminated { terminated }))
}

/// Creates a viewer and logs them in. If addresses are verified first, sends a mail instead.
#[utoipa::path(post, path = "/api/auth/signup", tag = "auth", request_body = SignupRequest, params(("X-Token-Delivery" = Option<String>, Header, description = "`body` or `cookie`")), responses((status = 201, body = Success<Login>), (status = 202, body = Success<Requested>), (status = 403), (status = 409), (status = 429)))]
pub async fn sign_up(
    state: Data<State>,
    request: HttpRequest,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<SignupRequest>,
) -> Result<HttpResponse, ApiError> {
    let delivery = wanted(&request, &state)?;
    let SignupRequest { name, email, password, altcha } = body;
    let attempt = Attempt { email: email.into(), ip };
    proof_of_work::admit(&state, altcha.as_deref()).await?;
    let outcome =
        super::sign_up::sign_up(&state, name, attempt, password, Device::of_request(&request)).await;
    match state.metrics.operation("signup", outcome)? {
        SignedUp::LoggedIn(entered) => logged_in(&state, delivery, StatusCode::CREATED, *entered),
        SignedUp::Requested(link) => Ok(requested(*link)),
    }
}
