//! The endpoints of deliveries.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use http::openapi::{List, Success};
use http::{AnyOf, ApiError, Engineer, NoQuery, ValidPath, ValidQuery, cursor};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::entity::{Attempts, Model, Status};
use super::listing;
use crate::State;
use crate::error::NotifyError;
use crate::intake::entity as event;

#[derive(Clone, Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct DeliveryQuery {
    destination: Option<Uuid>,
    #[param(value_type = Option<String>)]
    status: Option<AnyOf<Status>>,
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "http::cursor::default_limit")]
    #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    cursor: Option<String>,
}

/// A delivery. Addresses and bodies are not shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    id: i64,
    destination_id: Uuid,
    event_id: Uuid,
    /// The type of the event
    event_type: String,
    /// The time of the event
    event_at: DateTime<Utc>,
    status: Status,
    attempts: i32,
    /// The last ten attempts, oldest first
    log: Attempts,
    created_at: DateTime<Utc>,
    /// The time of the next attempt, unless it is finished
    due_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl DeliveryView {
    pub(super) fn new(row: Model, event_type: String, event_at: DateTime<Utc>) -> Self {
        Self {
            id: row.id,
            destination_id: row.destination_id,
            event_id: row.event_id,
            event_type,
            event_at,
            status: row.status,
            attempts: row.attempts,
            log: row.log,
            created_at: row.created_at,
            due_at: (row.status == Status::Pending).then_some(row.due_at),
            finished_at: row.finished_at,
        }
    }
}

#[derive(Deserialize, Serialize)]
struct Place {
    before: i64,
}

/// Lists deliveries, newest first.
#[utoipa::path(get, path = "/api/v1/notifications/deliveries", tag = "notifications", params(DeliveryQuery),
    responses((status = 200, body = List<DeliveryView>)),
    security(("bearer" = ["engineer"])))]
pub async fn list_deliveries(
    state: Data<State>,
    _: Engineer,
    ValidQuery(query): ValidQuery<DeliveryQuery>,
) -> Result<HttpResponse, ApiError> {
    let place: Option<Place> = query.cursor.as_deref().map(cursor::decode).transpose()?;
    let statuses = query.status.map(|AnyOf(wanted)| wanted);
    let filter =
        listing::Filter { destination: query.destination, statuses, before: place.map(|place| place.before) };
    let rows = listing::page(&state.database, &filter, query.limit + 1).await.map_err(NotifyError::from)?;
    let has_more = rows.len() as u64 > query.limit;
    let rows: Vec<_> = rows.into_iter().take(query.limit as usize).collect();
    let next = rows.last().filter(|_| has_more).map(|(row, _)| cursor::encode(&Place { before: row.id }));
    let views = rows.into_iter().map(|(row, event)| view(row, event)).collect();
    Ok(http::list::<DeliveryView>(views, query.limit, next))
}

/// Returns a delivery.
#[utoipa::path(get, path = "/api/v1/notifications/deliveries/{id}", tag = "notifications",
    params(("id" = i64, Path)),
    responses((status = 200, body = Success<DeliveryView>)),
    security(("bearer" = ["engineer"])))]
pub async fn get_delivery(
    state: Data<State>,
    _: Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<i64>,
) -> Result<HttpResponse, ApiError> {
    let found = listing::by_id(&state.database, id).await.map_err(NotifyError::from)?;
    let (row, event) = found.ok_or(NotifyError::NotFound("delivery"))?;
    Ok(http::ok(view(row, event)))
}

fn view(row: Model, event: Option<event::Model>) -> DeliveryView {
    let (event_type, at) =
        event.map_or_else(|| (String::new(), row.created_at), |event| (event.event_type, event.at));
    DeliveryView::new(row, event_type, at)
}
