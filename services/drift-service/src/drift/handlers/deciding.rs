use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use backplane::Entry;
use contracts::drift::Status;
use contracts::events::drift::DriftDeciding;
use http::openapi::Done;
use http::{ApiError, Engineer, NoQuery, ValidPath};
use uuid::Uuid;

use super::super::deciding::LASTS;
use super::super::entity;
use crate::State;
use crate::error::DriftError;

/// Each announcement goes to every open socket, so one person sends at most this many in a window.
const MOST: u64 = 120;
const WINDOW: Duration = Duration::from_secs(60);

/// Tells everybody that the caller is deciding on a drift, for the next 30 seconds. Repeat it while that lasts.
#[utoipa::path(put, path = "/api/v1/drifts/{id}/deciding", tag = "drifts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Done), (status = 404), (status = 409), (status = 429)),
    security(("bearer" = ["engineer"])))]
pub async fn begin_deciding(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let status = entity::status(&state.database, id).await.map_err(DriftError::from)?;
    if status.ok_or(DriftError::NotFound("drift"))? == Status::Resolved {
        return Err(DriftError::Final.into());
    }
    let until = state.platform.clock().now() + LASTS;
    announce(&state, DriftDeciding { id, by: caller.user_id, until: Some(until) }).await
}

/// Tells everybody that the caller no longer decides on a drift.
#[utoipa::path(delete, path = "/api/v1/drifts/{id}/deciding", tag = "drifts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Done), (status = 429)),
    security(("bearer" = ["engineer"])))]
pub async fn end_deciding(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    announce(&state, DriftDeciding { id, by: caller.user_id, until: None }).await
}

async fn announce(state: &State, event: DriftDeciding) -> Result<HttpResponse, ApiError> {
    let count = state.platform.limiter().count(&format!("deciding:{}", event.by), WINDOW).await;
    if count > MOST {
        return Err(ApiError::rate_limited(WINDOW.as_secs()));
    }
    let entry = Entry::of(event, state.platform.clock()).map_err(DriftError::from)?;
    let published = state.platform.backplane().log.append(&[entry]).await;
    published.map_err(|error| {
        tracing::warn!(%error, "could not announce who is deciding");
        ApiError::unavailable("events cannot be published at the moment", 5)
    })?;
    Ok(http::ok(()))
}
