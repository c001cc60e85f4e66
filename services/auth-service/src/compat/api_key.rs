use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::Role;
use http::openapi::Success;
use http::{ApiError, ClientIp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::action::Initiator;
use crate::caller::Admin;
use crate::limits;
use crate::service_token::changes::{self as service_tokens, NewServiceToken};
use crate::state::State;
use crate::user::name::Name;

/// The name of the service tokens that stand for API keys.
pub(super) const NAME: &str = "API key";

/// An API key: a service token with the role engineer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiKey {
    /// Sent as `Authorization: Bearer …`. No other response contains it.
    api_key: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Creates an API key in place of the caller's earlier one.
///
/// Only admins may create service tokens, and no service token is an admin.
#[utoipa::path(post, path = "/api/v1/users/me/api-key/regenerate", tag = "users", security(("bearer" = ["admin"])), responses((status = 200, body = Success<ApiKey>), (status = 409), (status = 429)))]
pub(super) async fn regenerate_api_key(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
) -> Result<HttpResponse, ApiError> {
    limits::admit_admin_change(&state, admin.id).await?;
    let name = Name::try_from(NAME.to_owned()).map_err(ApiError::internal)?;
    let new = NewServiceToken {
        name,
        role: Role::Engineer,
        account_id: None,
        expires_at: None,
        replaces_its_name: true,
    };
    let outcome = service_tokens::create(&state, new, admin.id, Initiator::admin_at(ip, admin.id)).await;
    let (row, api_key) = state.metrics.operation("create_service_token", outcome)?;
    Ok(http::ok(ApiKey { api_key, created_at: row.created_at, expires_at: row.expires_at }))
}
