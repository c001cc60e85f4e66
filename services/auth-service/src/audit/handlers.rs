use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use http::{ApiError, ValidQuery, cursor};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::answers;
use crate::audit::action::Action;
use crate::audit::entity as audit_log;
use crate::caller::Admin;
use crate::error::AuthError;
use crate::state::State;
use http::openapi::List;

#[derive(Deserialize, IntoParams, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "cursor::default_limit")]
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    /// `nextCursor` of the previous page.
    cursor: Option<String>,
    /// Only events that affect this user.
    user_id: Option<Uuid>,
    /// Only events of this kind.
    action: Option<Action>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    id: i64,
    action: String,
    /// The affected user; `null` if no account matched.
    user_id: Option<Uuid>,
    /// The acting user; `null` if it is the affected user.
    actor_id: Option<Uuid>,
    session_id: Option<Uuid>,
    detail: Option<String>,
    ip_address: Option<String>,
    created_at: DateTime<Utc>,
}

impl From<audit_log::Model> for AuditEntry {
    fn from(row: audit_log::Model) -> Self {
        let audit_log::Model { id, action, user_id, actor_id, session_id, detail, ip_address, created_at } =
            row;
        Self { id, action, user_id, actor_id, session_id, detail, ip_address, created_at }
    }
}

/// Lists authentication events, newest first.
#[utoipa::path(get, path = "/api/auth/audit", operation_id = "list_auth_audit", tag = "auth", params(AuditQuery), security(("bearer" = ["admin"])), responses((status = 200, body = List<AuditEntry>)))]
pub async fn list_audit(
    state: Data<State>,
    _: Admin,
    ValidQuery(query): ValidQuery<AuditQuery>,
) -> Result<HttpResponse, ApiError> {
    let before = query.cursor.as_deref().map(cursor::decode::<i64>).transpose()?;
    let action = query.action.map(|action| action.into_str());
    let page = audit_log::page(&state.database, query.user_id, action, before, query.limit + 1);
    let rows = page.await.map_err(AuthError::from)?;
    Ok(answers::page(rows, query.limit, |row| json!(row.id), AuditEntry::from))
}
