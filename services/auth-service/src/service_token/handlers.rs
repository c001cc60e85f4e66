use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::events::auth::EndReason;
use contracts::{AccountId, Role};
use http::openapi::{Done, List, Success};
use http::{ApiError, ClientIp, NoQuery, ValidJson, ValidPath, ValidQuery, cursor, is_account_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::answers;
use crate::audit::action::Initiator;
use crate::caller::Admin;
use crate::error::AuthError;
use crate::limits;
use crate::service_token::changes as service_tokens;
use crate::service_token::changes::{LONGEST_LIFE, NewServiceToken};
use crate::service_token::entity as service_token;
use crate::state::State;
use crate::user::name::Name;

#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceTokenRequest {
    name: Name,
    /// `viewer` or `engineer`.
    #[schema(value_type = String, pattern = "^(viewer|engineer)$")]
    role: Role,
    #[validate(custom(function = "is_account_id"))]
    account_id: Option<AccountId>,
    /// At most ten years ahead. If absent, the token expires after 90 days.
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ServiceTokenQuery {
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "cursor::default_limit")]
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    /// `nextCursor` of the previous page.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceToken {
    id: Uuid,
    name: String,
    #[schema(value_type = String)]
    role: Role,
    account_id: Option<AccountId>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
pub struct NewToken {
    #[serde(flatten)]
    about: ServiceToken,
    /// The token itself. No other response contains it.
    token: String,
}

impl From<service_token::Model> for ServiceToken {
    fn from(row: service_token::Model) -> Self {
        let service_token::Model { id, name, role, account_id, created_by, created_at, expires_at, .. } = row;
        let last_used_at = row.last_used_at;
        Self { id, name, role, account_id, created_by, created_at, expires_at, last_used_at }
    }
}

/// Creates a token for a machine, such as a scanner in CI.
///
/// The token is revoked when its creator is no longer an active admin.
#[utoipa::path(post, path = "/api/auth/tokens", tag = "auth", request_body = ServiceTokenRequest, security(("bearer" = ["admin"])), responses((status = 201, body = Success<NewToken>), (status = 409), (status = 429)))]
pub async fn create_service_token(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidJson(body): ValidJson<ServiceTokenRequest>,
) -> Result<HttpResponse, ApiError> {
    let ServiceTokenRequest { name, role, account_id, expires_at } = body;
    if role > Role::Engineer {
        return Err(ApiError::validation("role", "must be viewer or engineer"));
    }
    let now = state.platform.clock().now();
    if expires_at.is_some_and(|at| at <= now || at > now + LONGEST_LIFE) {
        return Err(ApiError::validation("expiresAt", "must be in the future and at most ten years ahead"));
    }
    limits::admit_admin_change(&state, admin.id).await?;
    let new = NewServiceToken { name, role, account_id, expires_at, replaces_its_name: false };
    let outcome = service_tokens::create(&state, new, admin.id, Initiator::admin_at(ip, admin.id)).await;
    let (row, token) = state.metrics.operation("create_service_token", outcome)?;
    Ok(http::created(NewToken { about: row.into(), token }))
}

/// Lists the valid service tokens, oldest first, without the tokens themselves.
#[utoipa::path(get, path = "/api/auth/tokens", tag = "auth", params(ServiceTokenQuery), security(("bearer" = ["admin"])), responses((status = 200, body = List<ServiceToken>)))]
pub async fn list_service_tokens(
    state: Data<State>,
    _: Admin,
    ValidQuery(query): ValidQuery<ServiceTokenQuery>,
) -> Result<HttpResponse, ApiError> {
    let after = query.cursor.as_deref().map(cursor::decode::<Uuid>).transpose()?;
    let page = service_token::page(&state.database, state.platform.clock().now(), after, query.limit + 1);
    let tokens = page.await.map_err(AuthError::from)?;
    Ok(answers::page(tokens, query.limit, |token| json!(token.id), ServiceToken::from))
}

/// Revokes a service token at once, in all services.
#[utoipa::path(delete, path = "/api/auth/tokens/{id}", tag = "auth", params(("id" = Uuid, Path)), security(("bearer" = ["admin"])), responses((status = 200, body = Done), (status = 429)))]
pub async fn end_service_token(
    state: Data<State>,
    admin: Admin,
    ClientIp(ip): ClientIp,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    limits::admit_admin_change(&state, admin.id).await?;
    let outcome = service_tokens::end(&state, id, EndReason::Admin, Initiator::admin_at(ip, admin.id)).await;
    state.metrics.operation("end_service_token", outcome)?;
    Ok(http::ok(()))
}
