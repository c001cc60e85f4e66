use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, ResponseError};
use contracts::Timestamp;
use http::openapi::Success;
use http::{ApiError, Engineer, ErrorCode, NoQuery, ValidJson};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::super::decide::{Decision, decide};
use super::super::until::approval_end;
use super::super::{Action, entity};
use crate::State;
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write};

/// One decision on many drifts.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkDecision {
    action: Action,
    #[validate(length(min = 1, max = 100, message = "must have 1 to 100 ids"))]
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<Uuid>,
    /// Required to approve or reject
    #[validate(length(min = 1, max = 1000), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 1000)]
    reason: Option<String>,
    /// Only to approve: the time at which the approvals expire. Default: until the value changes
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    until: Option<Timestamp>,
}

/// The outcome of one decision.
#[derive(Serialize, ToSchema)]
pub struct BulkOutcome {
    id: Uuid,
    /// The HTTP status that a single request would have got.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<BulkError>,
}

#[derive(Serialize, ToSchema)]
pub struct BulkError {
    code: ErrorCode,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<serde_json::Value>,
}

/// Decides on up to 100 drifts. Each decision succeeds or fails on its own.
#[utoipa::path(post, path = "/api/v1/drifts/bulk", tag = "drifts", request_body = BulkDecision,
    responses((status = 200, body = Success<Vec<BulkOutcome>>)),
    security(("bearer" = ["engineer"])))]
pub async fn decide_in_bulk(
    state: Data<State>,
    Engineer(caller): Engineer,
    conditions: Conditions,
    _: NoQuery,
    ValidJson(body): ValidJson<BulkDecision>,
) -> Result<HttpResponse, ApiError> {
    if matches!(body.action, Action::Approve | Action::Reject) && body.reason.is_none() {
        return Err(ApiError::validation("reason", "must have 1 to 1000 characters"));
    }
    let request = serde_json::to_vec(&body).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        // In the order of ids, as scans lock them, so that the two cannot wait for each other.
        let mut order: Vec<usize> = (0..body.ids.len()).collect();
        order.sort_by_key(|index| body.ids[*index]);
        let reason = body.reason.map(|reason| state.redacted(&reason));
        let until = approval_end(body.until, body.action, write.at)?;
        let decision = Decision { action: body.action, reason, until, if_match: None };
        let mut outcomes = Vec::with_capacity(order.len());
        for index in order {
            outcomes.push((index, decide_one(write, body.ids[index], &decision).await?));
        }
        outcomes.sort_by_key(|(index, _)| *index);
        let outcomes: Vec<BulkOutcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        Ok(Reply::ok(outcomes))
    })
    .await
}

async fn decide_one(write: &mut Write, id: Uuid, decision: &Decision) -> Result<BulkOutcome, ApiError> {
    let drift = entity::by_id(&write.tx, id).await.map_err(DriftError::from)?;
    let outcome = match drift {
        Some(drift) => decide(write, drift, decision).await.map(|_| ()),
        None => Err(DriftError::NotFound("drift")),
    };
    match outcome {
        Ok(()) => Ok(BulkOutcome { id, status: StatusCode::OK.as_u16(), error: None }),
        Err(error @ DriftError::Database(_)) => Err(error.into()),
        Err(error) => {
            let error = ApiError::from(error);
            let status = error.status_code().as_u16();
            let ApiError { code, message, details, .. } = error;
            Ok(BulkOutcome { id, status, error: Some(BulkError { code, message, details }) })
        }
    }
}
