//! A sample for a destination, to see that it arrives.

use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::Success;
use http::{Admin, ApiError, NoQuery, ValidPath};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity;
use crate::State;
use crate::delivery::{Outcome, send};
use crate::error::NotifyError;
use crate::event::Event;
use crate::message::sample;

/// The result of a test.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    is_delivered: bool,
    /// The HTTP status of the response
    status: Option<u16>,
    /// The kind of the failure, such as `timeout` or `status_404`
    failure: Option<String>,
    millis: i64,
}

/// Sends a sample at once, whatever the rules and the schedule are.
#[utoipa::path(post, path = "/api/v1/notifications/destinations/{id}/test", tag = "notifications",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<TestResult>)),
    security(("bearer" = ["admin"])))]
pub async fn test_destination(
    state: Data<State>,
    _: Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let row = entity::by_id(&state.database, id).await.map_err(NotifyError::from)?;
    let row = row.ok_or(NotifyError::NotFound("destination"))?;
    let target = state.open_target(&row).map_err(|_error| NotifyError::Unreadable)?;
    // A receiver that has seen its id would ignore it.
    let sample = Event { id: Uuid::now_v7(), at: state.platform.clock().now(), ..sample() };
    let message_id = sample.id.to_string();
    let Outcome { status, failure, millis, .. } = send(&state, &row, &target, &[sample], &message_id).await;
    let failure = failure.map(|failure| failure.kind);
    Ok(http::ok(TestResult { is_delivered: failure.is_none(), status, failure, millis }))
}
