use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::Timestamp;
use http::openapi::Success;
use http::{ApiError, Caller, Engineer, NoQuery, ValidJson, ValidPath};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::super::decide::{Decision, decide};
use super::super::until::approval_end;
use super::super::{Action, DriftView, entity};
use crate::State;
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write, body_or_default};

/// The reason for a rejection.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    #[validate(length(min = 1, max = 1000), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// The reason for an approval, and its end.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    #[validate(length(min = 1, max = 1000), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
    /// The time at which the approval expires, at most two years ahead. Default: until the value changes
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    until: Option<Timestamp>,
}

/// The reason and the end that a person gives with a decision.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    pub reason: Option<String>,
    pub until: Option<Timestamp>,
}

impl From<Option<String>> for Statement {
    fn from(reason: Option<String>) -> Self {
        Self { reason, until: None }
    }
}

/// An optional reason.
#[derive(Debug, Default, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaybeReason {
    #[validate(length(min = 1, max = 1000), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 1000)]
    reason: Option<String>,
}

/// Approves a drift: accepts the values that drift, and no others. Closes the drift's alerts for everybody.
#[utoipa::path(post, path = "/api/v1/drifts/{id}/approve", tag = "drifts", params(("id" = Uuid, Path)),
    request_body = Approval, responses((status = 200, body = Success<DriftView>)),
    security(("bearer" = ["engineer"])))]
pub async fn approve_drift(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    body: Result<ValidJson<Approval>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let statement = body.map(|ValidJson(body)| Statement { reason: Some(body.reason), until: body.until });
    decide_and_show(&state, caller, id, conditions, Action::Approve, statement).await
}

/// Rejects a drift: the values that drift must be reverted.
#[utoipa::path(post, path = "/api/v1/drifts/{id}/reject", tag = "drifts", params(("id" = Uuid, Path)),
    request_body = Reason, responses((status = 200, body = Success<DriftView>)),
    security(("bearer" = ["engineer"])))]
pub async fn reject_drift(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    body: Result<ValidJson<Reason>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let reason = body.map(|ValidJson(body)| Some(body.reason).into());
    decide_and_show(&state, caller, id, conditions, Action::Reject, reason).await
}

/// Resolves a drift.
#[utoipa::path(post, path = "/api/v1/drifts/{id}/resolve", tag = "drifts", params(("id" = Uuid, Path)),
    request_body = MaybeReason, responses((status = 200, body = Success<DriftView>)),
    security(("bearer" = ["engineer"])))]
pub async fn resolve_drift(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    request: HttpRequest,
    body: Result<ValidJson<MaybeReason>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let reason = body_or_default(&request, body).map(|body| body.reason.into());
    decide_and_show(&state, caller, id, conditions, Action::Resolve, reason).await
}

/// Reopens a drift: withdraws the decision. An admin may withdraw every decision, and an engineer their own within a
/// minute.
#[utoipa::path(post, path = "/api/v1/drifts/{id}/reopen", tag = "drifts", params(("id" = Uuid, Path)),
    request_body = MaybeReason, responses((status = 200, body = Success<DriftView>)),
    security(("bearer" = ["engineer"])))]
pub async fn reopen_drift(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    request: HttpRequest,
    body: Result<ValidJson<MaybeReason>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let reason = body_or_default(&request, body).map(|body| body.reason.into());
    decide_and_show(&state, caller, id, conditions, Action::Reopen, reason).await
}

async fn decide_and_show(
    state: &State,
    caller: Caller,
    id: Uuid,
    conditions: Conditions,
    action: Action,
    statement: Result<Statement, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let audience = caller.role.into();
    let view = async |_: &Write, drift| Ok(DriftView::new(drift, audience));
    decide_one(state, caller, id, conditions, action, statement, view).await
}

/// Decides on one drift and responds with `view` of it. 404 takes precedence over a malformed body.
pub(crate) async fn decide_one<T: Serialize>(
    state: &State,
    caller: Caller,
    id: Uuid,
    conditions: Conditions,
    action: Action,
    statement: Result<Statement, ApiError>,
    view: impl AsyncFnOnce(&Write, entity::Model) -> Result<T, DriftError>,
) -> Result<HttpResponse, ApiError> {
    let drift = entity::by_id(&state.database, id).await.map_err(DriftError::from)?;
    let drift = drift.ok_or(DriftError::NotFound("drift"))?;
    let Statement { reason, until } = statement?;
    let mut body = reason.clone().unwrap_or_default();
    body.extend(until.map(|Timestamp(until)| format!("\n{until}")));
    write::once(state, caller, &conditions, body.as_bytes(), async |write| {
        let reason = reason.map(|reason| state.redacted(&reason));
        let until = approval_end(until, action, write.at)?;
        let decision = Decision { action, reason, until, if_match: conditions.if_match };
        let drift = decide(write, drift, &decision).await?;
        let version = drift.version;
        let view = view(write, drift).await?;
        Ok(Reply::ok(view).with_version(version))
    })
    .await
}
