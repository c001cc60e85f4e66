use actix_web::HttpResponse;
use actix_web::web::Data;
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::answers::{Terminated, User};
use crate::caller::{AnyPerson, Person};
use crate::credentials;
use crate::entity::user;
use crate::error::AuthError;
use crate::password::Password;
use crate::state::State;
use http::openapi::Success;

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
    let user = user::by_id(&state.db, person.id).await.map_err(AuthError::from)?;
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
    let outcome = credentials::change_password(&state, person, current_password, new_password, ip).await;
    let terminated = state.metrics.operation("change_password", outcome)?;
    Ok(http::ok(Terminated { terminated }))
}
