use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use http::openapi::Success;
use http::{ApiError, ValidPath, ValidQuery, Viewer};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::paging::{DEEPEST, Items};
use super::query::PageQuery;
use crate::State;
use crate::audit::entity::{self, Model};
use crate::error::DriftError;

/// An action on a drift.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    id: Uuid,
    drift_id: Uuid,
    action: String,
    /// The id of the user, the service token or the service that acted.
    actor_id: String,
    old_value: Option<StatusValue>,
    new_value: Option<StatusValue>,
    details: Details,
    created_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
struct StatusValue {
    status: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Details {
    reason: Option<String>,
    #[schema(value_type = Vec<String>)]
    changed_fields: Box<RawValue>,
}

impl From<Model> for Entry {
    fn from(row: Model) -> Self {
        let value = |status: Option<String>| status.map(|status| StatusValue { status });
        Self {
            id: row.id,
            drift_id: row.entity_id,
            action: row.action,
            actor_id: row.actor,
            old_value: value(row.from_status),
            new_value: value(row.to_status),
            details: Details {
                reason: row.reason,
                changed_fields: RawValue::from_string(row.changed_fields).unwrap_or_default(),
            },
            created_at: row.at,
        }
    }
}

/// Lists the actions on a drift, newest first.
#[utoipa::path(get, path = "/api/v1/drifts/{id}/timeline", tag = "drifts",
    params(("id" = String, Path), PageQuery), responses((status = 200, body = Success<Items<Entry>>)),
    security(("bearer" = ["viewer"])))]
pub(super) async fn get_timeline(
    state: Data<State>,
    _viewer: Viewer,
    ValidPath(id): ValidPath<Uuid>,
    ValidQuery(query): ValidQuery<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let paging = query.paging()?;
    let total = entity::count_up_to(&state.database, id, DEEPEST).await.map_err(DriftError::from)?;
    if total == 0 {
        return Err(DriftError::NotFound("drift").into());
    }
    let rows = entity::numbered_page(&state.database, id, paging.offset(), paging.limit()).await;
    let entries = rows.map_err(DriftError::from)?.into_iter().map(Entry::from).collect();
    Ok(http::ok(paging.show(entries, total)))
}
