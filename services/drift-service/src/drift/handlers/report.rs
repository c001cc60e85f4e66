use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use validator::Validate;
use web::{ApiError, ValidJson};

use super::super::{DriftView, Kind, entity};
use crate::access::Engineer;
use crate::error::DriftError;
use crate::ingest::{self, Coverage, Sighting, Stamp};
use crate::money::Money;
use crate::rules::Severity;
use crate::scan::{self, Judgement, Report};
use crate::text::storable;
use crate::write::{Begun, Conditions, begin};
use crate::{State, stack};
use web::openapi::Success;

const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// A drift that somebody found by other means than a scan that is ingested.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportedDrift {
    #[validate(length(min = 1, max = 1024), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 1024)]
    resource_id: String,
    #[validate(length(min = 1, max = 256), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 256)]
    resource_type: String,
    #[validate(length(min = 1, max = 64), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 64)]
    region: String,
    #[validate(length(min = 1, max = 64), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 64)]
    account_id: Option<String>,
    #[validate(length(min = 1, max = 256), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 256)]
    #[serde(default = "default_stack")]
    stack: String,
    /// The resource's id if it is not given
    #[validate(length(min = 1, max = 2048), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 2048)]
    address: Option<String>,
    #[serde(default = "default_kind")]
    kind: Kind,
    /// Ruled by the service if it is not given
    severity: Option<Severity>,
    #[schema(value_type = Option<Value>)]
    expected_state: Option<Box<RawValue>>,
    #[schema(value_type = Option<Value>)]
    actual_state: Option<Box<RawValue>>,
    #[serde(default)]
    #[schema(value_type = f64)]
    cost_impact_monthly: Money,
    /// Now if it is not given
    detected_at: Option<DateTime<Utc>>,
}

fn default_stack() -> String {
    "default".into()
}

const fn default_kind() -> Kind {
    Kind::Changed
}

/// A drift, and whether it was known.
#[derive(Serialize, ToSchema)]
pub struct ReportOutcome {
    #[serde(flatten)]
    drift: DriftView,
    /// It was live already.
    deduplicated: bool,
}

/// Reports one drift, by the same rules as a scan that found it: one that is live is not doubled.
#[utoipa::path(post, path = "/api/v1/drifts", tag = "drifts", request_body = ReportedDrift,
    responses((status = 201, body = Success<ReportOutcome>), (status = 200, body = Success<ReportOutcome>)),
    security(("bearer" = ["engineer"])))]
pub async fn create_drift(
    state: Data<State>,
    Engineer(actor): Engineer,
    conditions: Conditions,
    ValidJson(body): ValidJson<ReportedDrift>,
) -> Result<HttpResponse, ApiError> {
    let audience = actor.role.into();
    let request = serde_json::to_vec(&body).unwrap_or_default();
    let mut write = match begin(&state, actor, &conditions, &request).await? {
        Begun::Write(write) => write,
        Begun::Answered(answer) => return Ok(answer),
    };
    let detected_at = body.detected_at.unwrap_or(write.at);
    if detected_at > write.at + CLOCK_SKEW {
        return Err(ApiError::validation("detectedAt", "lies more than 5 minutes ahead"));
    }
    let sighting = sighting(&state, &body)?;
    let fingerprint = sighting.fingerprint.clone();

    stack::lock(&*write.tx, &body.stack).await.map_err(DriftError::from)?;
    let coverage = Coverage { stack: &body.stack, account_id: None, is_complete: false };
    let outcome = ingest::compare(&write.tx, vec![sighting], coverage).await.map_err(DriftError::from)?;
    let deduplicated = outcome.new.is_empty();
    let stamp = Stamp {
        actor: &write.actor,
        rules: &state.rules,
        stack: &body.stack,
        taken_at: scan::to_micros(detected_at),
        now: write.at,
    };
    ingest::apply(&mut write.tx, outcome, &stamp).await.map_err(DriftError::from)?;

    let drift = entity::live_by_fingerprint(&*write.tx, &fingerprint).await.map_err(DriftError::from)?;
    let drift = drift.ok_or(DriftError::NotFound("drift"))?;
    let version = drift.version;
    let status = if deduplicated { StatusCode::OK } else { StatusCode::CREATED };
    let outcome = ReportOutcome { drift: DriftView::new(drift, audience), deduplicated };
    Ok(write.answer_versioned(status, version, &outcome).await?)
}

fn sighting(state: &State, body: &ReportedDrift) -> Result<Sighting, ApiError> {
    let report = Report {
        kind: body.kind,
        address: body.address.clone().unwrap_or_else(|| body.resource_id.clone()),
        resource_type: body.resource_type.clone(),
        resource_id: body.resource_id.clone(),
        region: body.region.clone(),
        account_id: body.account_id.clone(),
        expected_state: body.expected_state.as_deref(),
        actual_state: body.actual_state.as_deref(),
        severity: body.severity,
    };
    let judgement = Judgement { rules: &state.rules, state_key: &state.state_key };
    let finding = scan::read_report(report, judgement)
        .map_err(|error| ApiError::validation(error.field, error.source.to_string()))?;
    Ok(Sighting::new(finding, &body.stack, body.cost_impact_monthly))
}
