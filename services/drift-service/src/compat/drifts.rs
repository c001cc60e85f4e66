use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::Role;
use http::openapi::Success;
use http::{ApiError, Caller, Engineer, ValidJson, ValidPath, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::paging::{DEEPEST, Items};
use super::query::OldDriftQuery;
use super::view::{OldDrift, OldDriftWithStates, old_drift, old_drifts};
use crate::State;
use crate::access::Reader;
use crate::drift::{Action, decide_one, entity};
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{Conditions, Write};

/// Lists drifts, page by page.
#[utoipa::path(get, path = "/api/v1/drifts", tag = "drifts", params(OldDriftQuery),
    responses((status = 200, body = Success<Items<OldDrift>>)),
    security((), ("bearer" = [])))]
pub(super) async fn list_drifts(
    state: Data<State>,
    Reader { audience, .. }: Reader,
    ValidQuery(query): ValidQuery<OldDriftQuery>,
) -> Result<HttpResponse, ApiError> {
    let (paging, condition, order) = (query.paging()?, query.filter()?.condition(), query.order()?);
    let db = &state.database;
    let total = entity::count_up_to(db, condition.clone(), DEEPEST).await.map_err(DriftError::from)?;
    let page = entity::numbered_page(db, condition, order, paging.offset(), paging.limit()).await;
    let drifts = old_drifts(db, page.map_err(DriftError::from)?, audience).await;
    Ok(http::ok(paging.show(drifts.map_err(DriftError::from)?, total)))
}

/// Returns a drift.
#[utoipa::path(get, path = "/api/v1/drifts/{id}", tag = "drifts", params(("id" = String, Path)),
    responses((status = 200, body = Success<OldDriftWithStates>)),
    security((), ("bearer" = [])))]
pub(super) async fn get_drift(
    state: Data<State>,
    Reader { audience, .. }: Reader,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let drift = entity::by_id(&state.database, id).await.map_err(DriftError::from)?;
    let drift = drift.ok_or(DriftError::NotFound("drift"))?;
    Ok(http::ok(old_drift(&state.database, drift, audience).await.map_err(DriftError::from)?))
}

/// The reason for an approval or a rejection.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub(super) struct OldReason {
    #[validate(length(min = 10, max = 1000), custom(function = "storable"))]
    #[schema(min_length = 10, max_length = 1000)]
    reason: String,
}

/// Approves a drift.
#[utoipa::path(post, path = "/api/v1/drifts/{id}/approve", tag = "drifts", params(("id" = String, Path)),
    request_body = OldReason, responses((status = 200, body = Success<OldDriftWithStates>), (status = 409)),
    security(("bearer" = ["engineer"])))]
pub(super) async fn approve_drift(
    state: Data<State>,
    Engineer(caller): Engineer,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    body: Result<ValidJson<OldReason>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    decide(&state, caller, id, conditions, Action::Approve, body).await
}

/// Rejects a drift.
#[utoipa::path(post, path = "/api/v1/drifts/{id}/reject", tag = "drifts", params(("id" = String, Path)),
    request_body = OldReason, responses((status = 200, body = Success<OldDriftWithStates>), (status = 409)),
    security(("bearer" = ["engineer"])))]
pub(super) async fn reject_drift(
    state: Data<State>,
    Engineer(caller): Engineer,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    body: Result<ValidJson<OldReason>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    decide(&state, caller, id, conditions, Action::Reject, body).await
}

async fn decide(
    state: &State,
    caller: Caller,
    id: Uuid,
    conditions: Conditions,
    action: Action,
    body: Result<ValidJson<OldReason>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let role: Role = caller.role;
    let reason = body.map(|ValidJson(body)| Some(body.reason).into());
    let view = async |write: &Write, drift| Ok(old_drift(&write.tx, drift, role.into()).await?);
    decide_one(state, caller, id, conditions, action, reason, view).await
}
