//! Who is deciding on a drift at the moment, so that others can wait. It prevents no decision.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::web::Data;
use backplane::Entry;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::drift::Status;
use contracts::events::drift::DriftDeciding;
use http::openapi::Done;
use http::{ApiError, Engineer, NoQuery, ValidPath};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity;
use crate::State;
use crate::error::DriftError;

/// The time for which a person counts as deciding without saying so again.
const LASTS: TimeDelta = TimeDelta::seconds(30);
/// Bounds of what a process remembers.
const MAX_DRIFTS: usize = 10_000;
const MAX_PEOPLE: usize = 20;
const MAX_ID: usize = 64;

/// The people who are deciding, as this process has heard it. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Deciding(Arc<Mutex<HashMap<Uuid, Vec<DecidingView>>>>);

/// A person who is deciding on a drift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecidingView {
    /// The id of the user.
    by: String,
    until: DateTime<Utc>,
}

impl Deciding {
    /// Applies an event.
    pub(crate) fn hear(&self, payload: &str, now: DateTime<Utc>) {
        let Ok(DriftDeciding { id, by, until }) = serde_json::from_str(payload) else { return };
        if by.len() > MAX_ID {
            return;
        }
        let mut drifts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drifts.retain(|_, people| {
            people.retain(|person| person.until > now);
            !people.is_empty()
        });
        let is_full = drifts.len() >= MAX_DRIFTS && !drifts.contains_key(&id);
        if let Some(people) = drifts.get_mut(&id) {
            people.retain(|person| person.by != by);
        }
        let Some(until) = until.filter(|until| !is_full && *until > now) else { return };
        let people = drifts.entry(id).or_default();
        if people.len() < MAX_PEOPLE {
            people.push(DecidingView { by, until: until.min(now + LASTS) });
        }
    }

    /// Returns who is deciding on a drift.
    pub(crate) fn on(&self, id: Uuid, now: DateTime<Utc>) -> Vec<DecidingView> {
        let drifts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let people = drifts.get(&id).into_iter().flatten();
        people.filter(|person| person.until > now).cloned().collect()
    }
}

/// Tells everybody that the caller is deciding on a drift, for the next 30 seconds. Repeat it while that lasts.
#[utoipa::path(put, path = "/api/v1/drifts/{id}/deciding", tag = "drifts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Done), (status = 404), (status = 409)),
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
    responses((status = 200, body = Done)),
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
    let entry = Entry::of(event, state.platform.clock()).map_err(DriftError::from)?;
    let published = state.platform.backplane().log.append(&[entry]).await;
    published.map_err(|error| {
        tracing::warn!(%error, "could not announce who is deciding");
        ApiError::unavailable("events cannot be published at the moment", 5)
    })?;
    Ok(http::ok(()))
}

#[cfg(test)]
mod tests {
    use contracts::Clock;

    use super::*;

    fn event(id: Uuid, by: &str, until: Option<DateTime<Utc>>) -> String {
        serde_json::to_string(&DriftDeciding { id, by: by.into(), until }).unwrap()
    }

    #[test]
    fn a_person_decides_until_the_time_or_until_an_event_ends_it() {
        let (deciding, now, id) = (Deciding::default(), Clock::system().now(), Uuid::new_v4());
        let by = |at| deciding.on(id, at).into_iter().map(|person| person.by).collect::<Vec<_>>();
        deciding.hear(&event(id, "ana", Some(now + LASTS)), now);
        deciding.hear(&event(id, "ben", Some(now + TimeDelta::days(1))), now);
        deciding.hear(&event(id, "ana", Some(now + LASTS)), now);
        assert_eq!(by(now), ["ben", "ana"]);
        assert!(by(now + LASTS).is_empty(), "no event is believed for longer");
        deciding.hear(&event(id, "ben", None), now);
        assert_eq!(by(now), ["ana"]);
        deciding.hear("[]", now);
        deciding.hear(&event(id, &"x".repeat(100), Some(now + LASTS)), now);
        assert_eq!(by(now), ["ana"]);
    }

    #[test]
    fn what_a_process_remembers_is_bounded() {
        let (deciding, now) = (Deciding::default(), Clock::system().now());
        let id = Uuid::new_v4();
        for person in 0..100 {
            deciding.hear(&event(id, &person.to_string(), Some(now + LASTS)), now);
        }
        assert_eq!(deciding.on(id, now).len(), MAX_PEOPLE);
        for other in 0..20_000_u128 {
            deciding
                .0
                .lock()
                .unwrap()
                .insert(Uuid::from_u128(other), vec![DecidingView { by: "ana".into(), until: now + LASTS }]);
            if other > MAX_DRIFTS as u128 {
                break;
            }
        }
        let before = deciding.0.lock().unwrap().len();
        deciding.hear(&event(Uuid::new_v4(), "ana", Some(now + LASTS)), now);
        assert_eq!(deciding.0.lock().unwrap().len(), before);
        deciding.hear(&event(Uuid::new_v4(), "ana", Some(now + LASTS * 2)), now + LASTS);
        assert_eq!(deciding.0.lock().unwrap().len(), 1, "expired entries make room");
    }
}
