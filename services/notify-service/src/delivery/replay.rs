//! Sending again what was sent, given up, or never sent.

use actix_web::HttpResponse;
use actix_web::web::Data;
use backplane::{LogRead, Position};
use chrono::{DateTime, Utc};
use contracts::Timestamp;
use http::openapi::Success;
use http::{Admin, ApiError, NoQuery, ValidJson, ValidPath};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::again::{self, Again};
use super::listing;
use crate::State;
use crate::destination::entity as destination;
use crate::error::NotifyError;
use crate::event::Event;
use crate::intake::{cursor, hand_over_again};

/// Maximum number of events of one replay.
const MAX_EVENTS: usize = 10_000;
const PAGE: usize = 500;

/// The beginning of a replay: exactly one of both.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replay {
    /// A position in the event log, such as `X-Position` shows it: sends every wanted event after it
    #[schema(max_length = 128)]
    #[validate(length(max = 128))]
    position: Option<String>,
    /// Sends every delivery again that was created since then
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    since: Option<Timestamp>,
}

/// The result of a replay.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// The number of deliveries that are now waiting
    deliveries: u64,
}

/// Sends a delivery again. It keeps its id, so that the receiver can notice it.
#[utoipa::path(post, path = "/api/v1/notifications/deliveries/{id}/replay", tag = "notifications",
    params(("id" = i64, Path)),
    responses((status = 200, body = Success<Replayed>), (status = 409)),
    security(("bearer" = ["admin"])))]
pub async fn replay_delivery(
    state: Data<State>,
    _: Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<i64>,
) -> Result<HttpResponse, ApiError> {
    let replay = async {
        let tx = state.database.begin().await?;
        let (row, _) = listing::by_id(&tx, id).await?.ok_or(NotifyError::NotFound("delivery"))?;
        let (now, keep_for) = (state.platform.clock().now(), state.settings.retry_for());
        if again::replay(&tx, Again::One(id), now, now + keep_for).await? == 0 {
            return Err(NotifyError::Conflict("the delivery is still waiting"));
        }
        destination::wake(&tx, &[row.destination_id], now).await?;
        tx.commit().await?;
        Ok(())
    };
    replay.await?;
    state.dispatch.notify_one();
    Ok(http::ok(Replayed { deliveries: 1 }))
}

/// Sends events again to a destination, at most 10,000.
#[utoipa::path(post, path = "/api/v1/notifications/destinations/{id}/replay", tag = "notifications",
    params(("id" = Uuid, Path)), request_body = Replay,
    responses((status = 200, body = Success<Replayed>), (status = 409)),
    security(("bearer" = ["admin"])))]
pub async fn replay_destination(
    state: Data<State>,
    _: Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    ValidJson(replay): ValidJson<Replay>,
) -> Result<HttpResponse, ApiError> {
    let deliveries = match (replay.position, replay.since) {
        (Some(position), None) => {
            let position = position.parse();
            let position = position
                .map_err(|_error| ApiError::validation("position", "must be a position of the log"))?;
            after_position(&state, id, position).await?
        }
        (None, Some(Timestamp(since))) => since_time(&state, id, since).await?,
        _ => return Err(ApiError::validation("position", "or since must be given, but not both")),
    };
    state.dispatch.notify_one();
    Ok(http::ok(Replayed { deliveries }))
}

async fn since_time(state: &State, id: Uuid, since: DateTime<Utc>) -> Result<u64, NotifyError> {
    let (now, keep_for) = (state.platform.clock().now(), state.settings.retry_for());
    let tx = state.database.begin().await?;
    destination::lock(&tx, id).await?.ok_or(NotifyError::NotFound("destination"))?;
    let again = Again::Since { destination: id, since, limit: MAX_EVENTS as u64 };
    let count = again::replay(&tx, again, now, now + keep_for).await?;
    destination::wake(&tx, &[id], now).await?;
    tx.commit().await?;
    Ok(count)
}

/// Reads the log from the position to where it was handed over, in pages.
async fn after_position(state: &State, id: Uuid, from: Position) -> Result<u64, NotifyError> {
    let log = &state.platform.backplane().log;
    let at = cursor::find(&state.database).await?.and_then(|cursor| cursor.position());
    let end = at.filter(|end| end.epoch == from.epoch && end.seq >= from.seq);
    let end = end.ok_or(NotifyError::Conflict("the log does not have this position any more"))?;
    let (mut position, mut events) = (from, Vec::new());
    while position.seq < end.seq && events.len() < MAX_EVENTS {
        let LogRead::Events(page) = log.read_after(&position, None, PAGE).await? else {
            return Err(NotifyError::Conflict("the log does not have this position any more"));
        };
        let Some(last) = page.last().and_then(|message| message.position.clone()) else { break };
        let is_before_end = |seq: u64| seq <= end.seq;
        let wanted =
            page.iter().filter(|message| message.position.as_ref().is_some_and(|at| is_before_end(at.seq)));
        events.extend(wanted.filter_map(|message| Event::read(message)));
        position = last;
    }
    events.truncate(MAX_EVENTS);
    let (now, keep_for) = (state.platform.clock().now(), state.settings.retry_for());
    let tx = state.database.begin().await?;
    let destination = destination::lock(&tx, id).await?.ok_or(NotifyError::NotFound("destination"))?;
    let count = hand_over_again(&tx, &destination, &events, now, keep_for).await?;
    destination::wake(&tx, &[id], now).await?;
    tx.commit().await?;
    Ok(count)
}
