use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::{AccountId, Role};
use http::openapi::{Done, Success};
use http::{ApiError, ClientIp, ValidJson};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationErrors};

use super::settings;
use crate::audit::action::Initiator;
use crate::caller::AnyPerson;
use crate::error::AuthError;
use crate::limits;
use crate::service_token::entity as service_token;
use crate::state::State;
use crate::token::delivery::forget_cookie;
use crate::user::admin::{self, UserEdit};
use crate::user::entity as user;
use crate::user::locked_user::LockedUser;

/// The caller's account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OldUser {
    id: Uuid,
    email: String,
    name: String,
    /// The name up to the first space.
    first_name: String,
    /// The rest of the name.
    last_name: Option<String>,
    #[schema(value_type = String)]
    role: Role,
    is_active: bool,
    account_id: Option<AccountId>,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The time of the newest valid API key. `null` if there is none.
    api_key_created_at: Option<DateTime<Utc>>,
    last_login_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The settings of the caller's pages: any object of at most 16 KiB.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct PageSettings(Map<String, Value>);

impl Validate for PageSettings {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

/// Returns the caller's account.
#[utoipa::path(get, path = "/api/v1/users/me", tag = "users", security(("bearer" = [])), responses((status = 200, body = Success<OldUser>)))]
pub async fn get_me(state: Data<State>, person: AnyPerson) -> Result<HttpResponse, ApiError> {
    Ok(http::ok(old_user(&state, person.id).await?))
}

/// Replaces the settings of the caller's pages.
#[utoipa::path(put, path = "/api/v1/users/me/settings", tag = "users", request_body = PageSettings, security(("bearer" = [])), responses((status = 200, body = Success<OldUser>), (status = 429)))]
pub async fn put_settings(
    state: Data<State>,
    person: AnyPerson,
    ClientIp(ip): ClientIp,
    ValidJson(PageSettings(settings)): ValidJson<PageSettings>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_settings_change(&state, person.id).await?;
    let outcome = store_settings(&state, person.id, &settings, Initiator::user_at(ip)).await;
    state.metrics.operation("store_settings", outcome)?;
    Ok(http::ok(old_user(&state, person.id).await?))
}

/// Deletes the caller's account, as the old stack did: disables it and ends all its sessions. Its audit rows remain.
#[utoipa::path(delete, path = "/api/v1/users/me", tag = "users", security(("bearer" = [])), responses((status = 200, body = Done), (status = 409)))]
pub async fn delete_me(
    state: Data<State>,
    person: AnyPerson,
    ClientIp(ip): ClientIp,
) -> Result<HttpResponse, ApiError> {
    let change = UserEdit { is_active: Some(false), ..Default::default() };
    let outcome = admin::update(&state, person.id, change, Initiator::user_at(ip)).await;
    state.metrics.operation("delete_account", outcome)?;
    forget_cookie(&state, http::ok(()))
}

async fn store_settings(
    state: &State,
    id: Uuid,
    settings: &Map<String, Value>,
    initiator: Initiator,
) -> Result<(), AuthError> {
    let user = LockedUser::lock(state, id, initiator).await?.ok_or(AuthError::UnknownCaller)?;
    settings::store(&user.transaction, id, settings, user.now).await?;
    Ok(user.commit().await?)
}

async fn old_user(state: &State, id: Uuid) -> Result<OldUser, AuthError> {
    let db = &state.database;
    let user = user::by_id(db, id).await?.ok_or(AuthError::UnknownCaller)?;
    let now = state.platform.clock().now();
    let api_key_created_at = service_token::newest_of(db, id, super::api_key::NAME, now).await?;
    let settings = settings::of(db, id).await?;
    let (first_name, last_name) = match user.name.split_once(' ') {
        Some((first, last)) => (first.to_owned(), Some(last.to_owned())),
        None => (user.name.clone(), None),
    };
    Ok(OldUser {
        id,
        email: user.email,
        name: user.name,
        first_name,
        last_name,
        role: user.role,
        is_active: user.is_active,
        account_id: user.account_id,
        settings,
        api_key_created_at,
        last_login_at: user.last_login_at,
        created_at: user.created_at,
        updated_at: user.updated_at,
    })
}
