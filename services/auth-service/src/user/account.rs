use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::answers::{Login, Terminated, User, logged_in};
use crate::caller::{AnyPerson, Person};
use crate::error::AuthError;
use crate::login::attempt::Attempt;
use crate::password::Password;
use crate::proof_of_work;
use crate::session::device::Device;
use crate::state::State;
use crate::token::delivery::wanted;
use crate::user::email::Email;
use crate::user::entity as user;
use crate::user::name::Name;
use http::openapi::Success;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SignupRequest {
    name: Name,
    email: Email,
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

/// Returns the caller's user.
#[utoipa::path(get, path = "/api/auth/me", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<User>)))]
pub async fn get_me(state: Data<State>, person: AnyPerson, _: NoQuery) -> Result<HttpResponse, ApiError> {
    let user = user::by_id(&state.database, person.id).await.map_err(AuthError::from)?;
    Ok(http::ok(User::from(user.ok_or(AuthError::UnknownCaller)?)))
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
    let SignupRequest { name, email, password, altcha } = body;
    let attempt = Attempt { email, ip };
    let outcome = async {
        proof_of_work::admit(&state, altcha.as_deref()).await?;
        super::sign_up::sign_up(&state, name, attempt, password, Device::of_request(&request)).await
    };
    let outcome = outcome.await;
    logged_in(&state, delivery, StatusCode::CREATED, state.metrics.operation("signup", outcome)?)
}
