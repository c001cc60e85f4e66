//! The endpoints of the audit log.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use http::openapi::List;
use http::{Admin, ApiError, ValidPath, ValidQuery, Viewer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::entity::{self, Model};
use crate::error::DriftError;
use crate::text::storable;
use crate::{State, page};

/// One action in the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    /// The id of the user, the service token or the service that acted.
    pub actor: String,
    pub action: String,
    /// `drift`, `alert`, `stack`, `rules`, or `other` for an imported action on something else.
    pub entity: String,
    pub entity_id: Uuid,
    pub from: Option<String>,
    pub to: Option<String>,
    pub reason: Option<String>,
    /// The id that the client sent with the request, or the service's own id.
    pub request_id: String,
    /// The id that the service gave to the request; no client can choose it.
    pub own_request_id: String,
    #[schema(value_type = Vec<String>)]
    pub changed_fields: Box<RawValue>,
}

impl From<Model> for AuditView {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: row.actor,
            action: row.action,
            entity: row.entity,
            entity_id: row.entity_id,
            from: row.from_status,
            to: row.to_status,
            reason: row.reason,
            request_id: row.request_id,
            own_request_id: row.own_request_id,
            changed_fields: RawValue::from_string(row.changed_fields).unwrap_or_default(),
        }
    }
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct AuditQuery {
    entity_id: Option<Uuid>,
    #[validate(custom(function = "storable"))]
    action: Option<String>,
    /// Only actions of this user
    #[validate(custom(function = "storable"))]
    actor: Option<String>,
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "http::cursor::default_limit")]
    #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    cursor: Option<String>,
}

/// Lists the actions on all drifts, alerts, stacks and rules, newest first.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "list_drift_audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = List<AuditView>)),
    security(("bearer" = ["admin"])))]
pub async fn list_audit(
    state: Data<State>,
    _admin: Admin,
    ValidQuery(query): ValidQuery<AuditQuery>,
) -> Result<HttpResponse, ApiError> {
    list(&state, query).await
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct HistoryQuery {
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "http::cursor::default_limit")]
    #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    cursor: Option<String>,
}

/// Lists the actions on a drift, newest first. The history remains when the drift is deleted.
#[utoipa::path(get, path = "/api/v1/drifts/{id}/history", tag = "drifts",
    params(("id" = Uuid, Path), HistoryQuery), responses((status = 200, body = List<AuditView>)),
    security(("bearer" = ["viewer"])))]
pub async fn get_drift_history(
    state: Data<State>,
    _viewer: Viewer,
    ValidQuery(HistoryQuery { limit, cursor }): ValidQuery<HistoryQuery>,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let first = entity::page(&state.database, Some(id), None, None, None, 1).await;
    if first.map_err(DriftError::from)?.is_empty() {
        return Err(DriftError::NotFound("drift").into());
    }
    list(&state, AuditQuery { entity_id: Some(id), action: None, actor: None, limit, cursor }).await
}

async fn list(state: &State, query: AuditQuery) -> Result<HttpResponse, ApiError> {
    let AuditQuery { entity_id, action, actor, limit, cursor } = query;
    let bound = format!("{:?}", (entity_id, &action, &actor));
    let after = page::after(cursor.as_deref(), &bound)?;
    let rows =
        entity::page(&state.database, entity_id, action.as_deref(), actor.as_deref(), after, limit + 1).await;
    let (rows, next) = page::cut(rows.map_err(DriftError::from)?, limit, &bound, |row| (row.at, row.id));
    Ok(http::list(rows.into_iter().map(AuditView::from).collect(), limit, next))
}
