use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use contracts::AccountId;
use http::openapi::Success;
use http::{ApiError, Engineer, ValidQuery, is_account_id};
use scan::{Change, Scan, Scope};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::match_stored::{Coverage, Matched, match_stored};
use super::report::{IngestReport, IngestedDrift, StackReport};
use super::upload::{Upload, reading_deadline};
use super::{Stamp, apply};
use crate::error::DriftError;
use crate::money::Money;
use crate::rules::note_uses;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write};
use crate::{State, stack};

/// The maximum time by which a scanner's clock may be ahead.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// The list of a plan that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// `resource_drift`: the recorded state compared with reality.
    #[default]
    Drift,
    /// `resource_changes`: reality compared with the configuration.
    Changes,
}

#[derive(Clone, Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct IngestQuery {
    /// The state or workspace that was scanned. In an upload of several plans, `{module}` stands for the path
    /// of a plan's module, and `{n}` for the plan's number
    #[validate(length(min = 1, max = 256), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 256)]
    stack: String,
    /// The scan covers the whole stack, so drifts that it does not show are resolved. A plan that is
    /// targeted, or does not show that it is complete, resolves nothing
    #[serde(default)]
    complete: bool,
    /// If the plan does not show it: the caller vouches that the plan was neither targeted nor created with
    /// `-refresh=false`
    #[serde(default)]
    assume_complete: bool,
    #[validate(custom(function = "is_account_id"))]
    account_id: Option<AccountId>,
    /// The region of resources for which the scan contains none
    #[validate(length(min = 1, max = 64), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 64)]
    region: Option<String>,
    /// The list of a plan to read
    #[serde(default)]
    #[param(value_type = Option<Source>)]
    source: Source,
    /// Read driftctl's unmanaged resources as well
    #[serde(default)]
    unmanaged: bool,
    /// Return the report, but store nothing
    #[serde(default)]
    dry_run: bool,
}

impl IngestQuery {
    fn scope(&self) -> Scope {
        Scope {
            stack: self.stack.clone(),
            account_id: self.account_id.clone(),
            region: self.region.clone(),
            source: match self.source {
                Source::Drift => scan::Source::Drift,
                Source::Changes => scan::Source::Changes,
            },
            unmanaged: self.unmanaged,
            is_planned: false,
            deadline: Some(reading_deadline()),
        }
    }
}

/// Ingests scans: all of an upload, or nothing of it.
///
/// Accepts plans (`terraform show -json plan`, also of OpenTofu), the lines of `plan -json`, and driftctl's
/// JSON, plain or gzip.
#[utoipa::path(post, path = "/api/v1/drifts/ingest", tag = "drifts", params(IngestQuery),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = Success<IngestReport>), (status = 409), (status = 422)),
    security(("bearer" = ["engineer"])))]
pub async fn ingest_scan(
    state: Data<State>,
    Engineer(caller): Engineer,
    ValidQuery(query): ValidQuery<IngestQuery>,
    conditions: Conditions,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let upload = Upload::receive(&state, &caller, &request, body).await?;
    let (scans, upload) = upload.read(&state, query.scope()).await?;
    write::once(&state, caller, &conditions, &upload.body, async |write| {
        let report = ingest(write, &state, &query, scans).await?;
        Ok(Reply::ok(report).with_dry_run(query.dry_run))
    })
    .await
}

async fn ingest(
    write: &mut Write,
    state: &State,
    query: &IngestQuery,
    mut scans: Vec<Scan>,
) -> Result<IngestReport, DriftError> {
    let mut report = IngestReport { dry_run: query.dry_run, ..IngestReport::default() };
    // In the order of stacks, so that two uploads cannot wait for each other.
    scans.sort_by(|one, other| one.stack.cmp(&other.stack));
    for scan in scans {
        ingest_stack(write, state, query, scan, &mut report).await?;
    }
    let report = report.finish();
    let IngestReport { created, unchanged, changed, resolved, dry_run, .. } = report;
    tracing::info!(stack = ?query.stack, created, unchanged, changed, resolved, dry_run, "ingested a scan");
    Ok(report)
}

async fn ingest_stack(
    write: &mut Write,
    state: &State,
    query: &IngestQuery,
    mut scan: Scan,
    report: &mut IngestReport,
) -> Result<(), DriftError> {
    let taken_at = taken_at(&scan, write.at)?;
    let account_id = query.account_id.as_deref();
    stack::lock(&write.tx, &scan.stack).await?;
    if let Some(last) = stack::last_scan(&write.tx, &scan.stack, account_id).await?
        && taken_at < last
    {
        return Err(DriftError::StaleScan { last });
    }
    stack::record_scan(&write.tx, &scan.stack, account_id, taken_at).await?;

    let is_complete = query.complete && resolves(&mut scan, query.assume_complete);
    let coverage = Coverage { account_id, is_complete };
    let matched = match_stored(&write.tx, &mut scan, coverage, &state.rules).await?;
    report.ignored += scan.ignored;
    report.skipped += scan.skipped;
    for (reason, count) in std::mem::take(&mut scan.skipped_reasons) {
        *report.skipped_reasons.entry(reason).or_default() += count;
    }
    report.warnings.append(&mut scan.warnings);
    report.add(count(&scan.stack, &matched));
    if query.dry_run {
        report.drifts.extend(preview(&scan.stack, &matched));
        return Ok(());
    }
    note_uses(&write.tx, &state.rules, &scan.rule_uses, write.at).await?;
    let stamp = Stamp {
        actor: &write.actor,
        rules: &state.rules,
        stack: &scan.stack,
        cost: Money::default(),
        taken_at,
        now: write.at,
    };
    report.drifts.extend(apply(&mut write.tx, matched, &stamp).await?);
    Ok(())
}

/// Returns the time at which the scanner ran, truncated to the microseconds that the database stores.
fn taken_at(scan: &Scan, now: DateTime<Utc>) -> Result<DateTime<Utc>, DriftError> {
    let taken_at = scan.taken_at.map_or(now, |taken_at| taken_at.trunc_subsecs(6));
    let invalid = |message: &str| DriftError::Invalid { field: "timestamp", message: message.into() };
    if !contracts::is_plausible(taken_at) {
        return Err(invalid("is not between the years 1970 and 9999"));
    }
    if taken_at > now + CLOCK_SKEW {
        return Err(invalid("is more than 5 minutes in the future"));
    }
    Ok(taken_at)
}

/// Whether drifts that a scan does not show are resolved. A reason against it becomes a warning.
fn resolves(scan: &mut Scan, is_assumed: bool) -> bool {
    let against = scan.incomplete.take().filter(|incomplete| !(incomplete.is_assumable && is_assumed));
    if let Some(incomplete) = &against {
        scan.warnings.push(format!("nothing is resolved: {}", incomplete.reason));
    }
    against.is_none()
}

fn count(stack: &str, matched: &Matched) -> StackReport {
    let mut counts =
        StackReport { stack: stack.into(), resolved: matched.resolved.len(), ..StackReport::default() };
    for found in &matched.matches {
        match found.change {
            Change::New => counts.created += 1,
            Change::Updated { .. } | Change::Superseded { .. } => counts.changed += 1,
            Change::Unchanged { .. } | Change::Adopted { .. } | Change::Refreshed { .. } => {
                counts.unchanged += 1
            }
        }
    }
    counts
}

/// The drifts that a dry run would write.
fn preview(stack: &str, matched: &Matched) -> Vec<IngestedDrift> {
    let shown = |found: &scan::Match<uuid::Uuid>| {
        let change = match found.change {
            Change::New => "created",
            Change::Updated { .. } | Change::Superseded { .. } => "changed",
            _ => return None,
        };
        let finding = &found.finding;
        Some(IngestedDrift {
            id: None,
            stack: stack.into(),
            address: finding.address.clone(),
            kind: finding.kind,
            severity: finding.severity,
            reason: finding.reason.map(Into::into),
            change,
        })
    };
    matched.matches.iter().filter_map(shown).collect()
}
