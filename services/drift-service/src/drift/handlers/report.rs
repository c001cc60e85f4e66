use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use contracts::drift::{Kind, Severity};
use contracts::{AccountId, Timestamp};
use http::openapi::Success;
use http::{ApiError, Engineer, NoQuery, ValidJson, is_account_id};
use scan::rules::Rules;
use scan::{Change, Criteria, Finding, Report, Scan};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use validator::Validate;

use super::super::entity::Model;
use super::super::{DriftView, entity};
use crate::error::DriftError;
use crate::ingest::{self, Costs, Coverage, Stamp};
use crate::money::Money;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write};
use crate::{State, stack};

const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// A drift that was found by other means than a scan.
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
    region: Option<String>,
    #[validate(custom(function = "is_account_id"))]
    account_id: Option<AccountId>,
    #[validate(length(min = 1, max = 256), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 256)]
    #[serde(default = "default_stack")]
    stack: String,
    /// Default: the resource's id
    #[validate(length(min = 1, max = 2048), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 2048)]
    address: Option<String>,
    #[serde(default = "default_kind")]
    kind: Kind,
    /// Default: as the rules rate the drift
    severity: Option<Severity>,
    #[schema(value_type = Option<Value>)]
    expected_state: Option<Box<RawValue>>,
    #[schema(value_type = Option<Value>)]
    actual_state: Option<Box<RawValue>>,
    /// Default: unknown
    #[schema(value_type = Option<f64>)]
    cost_impact_monthly: Option<Money>,
    /// Default: now
    #[schema(value_type = Option<DateTime<Utc>>)]
    detected_at: Option<Timestamp>,
}

fn default_stack() -> String {
    "default".into()
}

const fn default_kind() -> Kind {
    Kind::Changed
}

/// The result of a report.
#[derive(Serialize, ToSchema)]
pub struct ReportOutcome {
    #[serde(flatten)]
    drift: DriftView,
    /// `true` if the drift was already live.
    deduplicated: bool,
}

/// Reports one drift, under the same rules as a scan that found it. A live drift is updated, not duplicated.
#[utoipa::path(post, path = "/api/v1/drifts", tag = "drifts", request_body = ReportedDrift,
    responses((status = 201, body = Success<ReportOutcome>), (status = 200, body = Success<ReportOutcome>)),
    security(("bearer" = ["engineer"])))]
pub async fn create_drift(
    state: Data<State>,
    Engineer(caller): Engineer,
    conditions: Conditions,
    _: NoQuery,
    ValidJson(body): ValidJson<ReportedDrift>,
) -> Result<HttpResponse, ApiError> {
    let audience = caller.role.into();
    let request = serde_json::to_vec(&body).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        let detected_at = body.detected_at.map_or(write.at, |Timestamp(at)| at);
        if detected_at > write.at + CLOCK_SKEW {
            return Err(ApiError::validation("detectedAt", "is more than 5 minutes in the future").into());
        }
        let in_force = state.rules.hold(&write.tx).await?;
        let finding = finding(&state, &in_force.rules, &body)?;
        let (drift, deduplicated) = store(write, &in_force.rules, &body, finding, detected_at).await?;
        let version = drift.version;
        let outcome = ReportOutcome { drift: DriftView::new(drift, audience), deduplicated };
        let reply = if deduplicated { Reply::ok(outcome) } else { Reply::created(outcome) };
        Ok(reply.with_version(version))
    })
    .await
}

/// Writes the drift as a scan with one entry would. Returns it, and whether it was already live.
async fn store(
    write: &mut Write,
    rules: &Rules,
    body: &ReportedDrift,
    finding: Finding,
    detected_at: DateTime<Utc>,
) -> Result<(Model, bool), DriftError> {
    stack::lock(&write.tx, &body.stack).await?;
    let mut scan = Scan::of_finding(&body.stack, finding);
    let coverage = Coverage { account_id: None, is_complete: false };
    let matched = ingest::match_stored(&write.tx, &mut scan, coverage, rules).await?;
    let fingerprint = matched.matches.first().map(|found| found.fingerprint.clone()).unwrap_or_default();
    let is_new = |found: &scan::Match<_>| matches!(found.change, Change::New | Change::Superseded { .. });
    let deduplicated = !matched.matches.iter().any(is_new);
    let stamp = Stamp {
        actor: &write.actor,
        rules,
        stack: &body.stack,
        scan_id: None,
        costs: &body.cost_impact_monthly.map_or(Costs::Unknown, Costs::Given),
        taken_at: detected_at.trunc_subsecs(6),
        now: write.at,
    };
    ingest::apply(&mut write.tx, matched, &stamp).await?;
    let drift = entity::live_by_fingerprint(&write.tx, &fingerprint).await?;
    Ok((drift.ok_or(DriftError::NotFound("drift"))?, deduplicated))
}

fn finding(state: &State, rules: &Rules, body: &ReportedDrift) -> Result<Finding, ApiError> {
    let report = Report {
        kind: body.kind,
        stack: &body.stack,
        address: body.address.clone().unwrap_or_else(|| body.resource_id.clone()),
        resource_type: body.resource_type.clone(),
        resource_id: body.resource_id.clone(),
        region: body.region.as_deref().filter(|region| *region != "unknown"),
        account_id: body.account_id.as_deref(),
        expected_state: body.expected_state.as_deref(),
        actual_state: body.actual_state.as_deref(),
        severity: body.severity,
    };
    let criteria = Criteria { rules, key: &state.state_key };
    scan::read_report(report, criteria)
        .map_err(|error| ApiError::validation(error.field, error.source.to_string()))
}
