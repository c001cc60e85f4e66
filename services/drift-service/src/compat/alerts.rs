use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::Success;
use http::{ApiError, ValidPath, ValidQuery, Viewer};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::paging::{DEEPEST, Items};
use super::query::OldAlertQuery;
use super::view::{OldAlert, old_alert};
use crate::State;
use crate::access::Reader;
use crate::alert::{entity, read_all, read_one, reader_mark, views};
use crate::error::DriftError;
use crate::write::Conditions;

/// Lists alerts, page by page.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(OldAlertQuery),
    responses((status = 200, body = Success<Items<OldAlert>>)),
    security((), ("bearer" = [])))]
pub(super) async fn list_alerts(
    state: Data<State>,
    Reader { audience, user_id }: Reader,
    ValidQuery(query): ValidQuery<OldAlertQuery>,
) -> Result<HttpResponse, ApiError> {
    let db = &state.database;
    let reader = reader_mark(db, user_id).await?;
    let (paging, filter, order) = (query.paging()?, query.filter(reader.clone())?, query.order()?);
    let total = entity::count_up_to(db, &filter, DEEPEST).await.map_err(DriftError::from)?;
    let page = entity::numbered_page(db, &filter, order, paging.offset(), paging.limit()).await;
    let alerts = views(db, page.map_err(DriftError::from)?, audience, reader.as_ref()).await?;
    Ok(http::ok(paging.show(alerts.into_iter().map(old_alert).collect(), total)))
}

/// The number of alerts that the caller has not read.
#[derive(Serialize, ToSchema)]
pub(super) struct UnreadCount {
    count: u64,
}

/// Counts the alerts that the caller has not read; without an account, those that are not closed.
#[utoipa::path(get, path = "/api/v1/alerts/unread-count", tag = "alerts",
    responses((status = 200, body = Success<UnreadCount>)),
    security((), ("bearer" = [])))]
pub(super) async fn count_unread_alerts(
    state: Data<State>,
    reader: Reader,
) -> Result<HttpResponse, ApiError> {
    let reader = reader_mark(&state.database, reader.user_id).await?;
    let count = entity::count_unread(&state.database, reader.as_ref()).await.map_err(DriftError::from)?;
    Ok(http::ok(UnreadCount { count }))
}

/// Marks an alert as read for the caller.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/mark-read", tag = "alerts", params(("id" = String, Path)),
    responses((status = 200, body = Success<OldAlert>)),
    security(("bearer" = ["viewer"])))]
pub(super) async fn mark_alert_read(
    state: Data<State>,
    Viewer(caller): Viewer,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    read_one(&state, caller, id, &conditions, old_alert).await
}

/// The number of alerts that were marked as read.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MarkedCount {
    marked_count: u64,
}

/// Marks all alerts as read for the caller.
#[utoipa::path(post, path = "/api/v1/alerts/mark-all-read", tag = "alerts",
    responses((status = 200, body = Success<MarkedCount>)),
    security(("bearer" = ["viewer"])))]
pub(super) async fn mark_all_alerts_read(
    state: Data<State>,
    Viewer(caller): Viewer,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    read_all(&state, caller, &conditions, |marked_count| MarkedCount { marked_count }).await
}
