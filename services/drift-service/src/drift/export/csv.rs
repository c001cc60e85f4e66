//! Drifts as CSV, for spreadsheets.

use crate::drift::DriftView;
use crate::error::DriftError;
use crate::export::{CsvWriter, text, time};

const COLUMNS: [&str; 22] = [
    "id",
    "stack",
    "address",
    "resourceType",
    "resourceId",
    "accountId",
    "region",
    "severity",
    "severityReason",
    "kind",
    "status",
    "costImpactMonthly",
    "changedPaths",
    "detectedAt",
    "firstSeenAt",
    "lastSeenAt",
    "occurrences",
    "decidedBy",
    "decidedAt",
    "reason",
    "resolvedAt",
    "approvedUntil",
];

/// The names of the columns.
pub(super) fn header() -> Result<Vec<u8>, DriftError> {
    let mut writer = CsvWriter::new();
    writer.line(&COLUMNS)?;
    writer.finish()
}

/// One line for each drift.
pub(super) fn rows(drifts: &[DriftView]) -> Result<Vec<u8>, DriftError> {
    let mut writer = CsvWriter::new();
    for drift in drifts {
        writer.line(&row(drift)?)?;
    }
    writer.finish()
}

fn row(drift: &DriftView) -> Result<[String; COLUMNS.len()], DriftError> {
    let people = drift.accountability.as_ref();
    let by = people.and_then(|people| people.approved_by.as_ref().or(people.rejected_by.as_ref()));
    let reason =
        people.and_then(|people| people.approved_reason.as_ref().or(people.rejected_reason.as_ref()));
    Ok([
        drift.id.to_string(),
        drift.stack.clone(),
        drift.address.clone(),
        drift.resource_type.clone(),
        drift.resource_id.clone(),
        drift.account_id.as_deref().unwrap_or_default().into(),
        text(drift.region.as_ref()),
        drift.severity.into_str().into(),
        text(people.and_then(|people| people.severity_reason.as_ref())),
        drift.kind.into_str().into(),
        drift.status.into_str().into(),
        cost(drift),
        paths(drift)?,
        time(Some(drift.detected_at)),
        time(Some(drift.first_seen_at)),
        time(Some(drift.last_seen_at)),
        drift.occurrences.to_string(),
        text(by),
        time(drift.approved_at.or(drift.rejected_at)),
        text(reason),
        time(drift.resolved_at),
        time(drift.approved_until),
    ])
}

/// Empty if unknown.
fn cost(drift: &DriftView) -> String {
    if drift.is_cost_known { drift.cost_impact_monthly.to_f64().to_string() } else { String::new() }
}

#[derive(serde::Deserialize)]
struct Change {
    path: Vec<scan::path::Step>,
}

/// The changed paths, one in a line, each with dots between its steps.
fn paths(drift: &DriftView) -> Result<String, DriftError> {
    let Some(people) = &drift.accountability else { return Ok(String::new()) };
    let changes: Vec<Change> = serde_json::from_str(people.difference.get())?;
    Ok(changes.iter().map(|change| scan::path::dotted(&change.path)).collect::<Vec<_>>().join("\n"))
}
