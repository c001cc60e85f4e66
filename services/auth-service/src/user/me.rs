//! Requests of people about their own account.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::web::Data;
use http::openapi::Success;
use http::{ApiError, ClientIp, NoQuery, ValidJson};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::answers::Terminated;
use crate::audit::action::Initiator;
use crate::caller::{AnyPerson, Person};
use crate::error::AuthError;
use crate::limits;
use crate::link::entity as link;
use crate::password::Password;
use crate::state::State;
use crate::token::delivery::forget_cookie;
use crate::user::export::Export;
use crate::user::profile::{Profile, ProfilePatch};
use crate::user::{deletion, entity as user, export, profile as profiles};

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountDeletion {
    #[schema(value_type = String, min_length = 8, max_length = 255)]
    current_password: Password,
}

/// Returns the caller's user.
#[utoipa::path(get, path = "/api/auth/me", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<Profile>)))]
pub async fn get_me(state: Data<State>, person: AnyPerson, _: NoQuery) -> Result<HttpResponse, ApiError> {
    let user = user::by_id(&state.database, person.id).await.map_err(AuthError::from)?;
    Ok(http::ok(profile(&state, user.ok_or(AuthError::UnknownCaller)?).await?))
}

/// Changes the caller's name, time zone, language or notification preferences.
#[utoipa::path(patch, path = "/api/auth/me", tag = "auth", request_body = ProfilePatch, security(("bearer" = [])), responses((status = 200, body = Success<Profile>), (status = 429)))]
pub async fn update_me(
    state: Data<State>,
    person: AnyPerson,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(patch): ValidJson<ProfilePatch>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_settings_change(&state, person.id).await?;
    let outcome = profiles::update(&state, person.id, patch, Initiator::user_at(ip)).await;
    Ok(http::ok(profile(&state, state.metrics.operation("update_profile", outcome)?).await?))
}

async fn profile(state: &State, user: user::Model) -> Result<Profile, AuthError> {
    let pending = link::open_change(&state.database, user.id, state.platform.clock().now()).await?;
    Ok(Profile::new(user, pending.map(|link| link.email)))
}

/// Deletes the caller's account, and erases the personal data in it. This cannot be undone.
///
/// Ends all sessions, and revokes the service tokens that the caller created. The last active admin gets 409.
#[utoipa::path(delete, path = "/api/auth/me", tag = "auth", request_body = AccountDeletion, security(("bearer" = [])), responses((status = 200, body = Success<Terminated>), (status = 409), (status = 429)))]
pub async fn delete_me(
    state: Data<State>,
    person: Person,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<AccountDeletion>,
) -> Result<HttpResponse, ApiError> {
    let outcome = deletion::delete_own(&state, person, body.current_password, ip).await;
    let terminated = state.metrics.operation("delete_user", outcome)?;
    forget_cookie(&state, http::ok(Terminated { terminated }))
}

/// Returns the data that this service stores about the caller, as a file to download.
#[utoipa::path(get, path = "/api/auth/me/export", tag = "auth", security(("bearer" = [])), responses((status = 200, body = Success<Export>), (status = 429)))]
pub async fn export_me(state: Data<State>, person: Person, _: NoQuery) -> Result<HttpResponse, ApiError> {
    limits::admit_export(&state, person.id).await?;
    let outcome = export::export(&state, person.id).await;
    let mut answer = http::ok(state.metrics.operation("export", outcome)?);
    let file = HeaderValue::from_static(r#"attachment; filename="driftsentry-account.json""#);
    answer.headers_mut().insert(CONTENT_DISPOSITION, file);
    Ok(answer)
}
