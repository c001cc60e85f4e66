//! Drifts as CSV, for spreadsheets.

use csv::{Terminator, Writer, WriterBuilder};

use crate::drift::DriftView;
use crate::error::DriftError;

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

fn writer() -> Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new())
}

fn finish(writer: Writer<Vec<u8>>) -> Result<Vec<u8>, DriftError> {
    writer.into_inner().map_err(|error| DriftError::Unexported(error.to_string()))
}

/// The names of the columns.
pub(super) fn header() -> Result<Vec<u8>, DriftError> {
    let mut writer = writer();
    writer.write_record(COLUMNS)?;
    finish(writer)
}

/// One line for each drift.
pub(super) fn rows(drifts: &[DriftView]) -> Result<Vec<u8>, DriftError> {
    let mut writer = writer();
    for drift in drifts {
        writer.write_record(row(drift)?.map(|cell| harmless(&cell)))?;
    }
    finish(writer)
}

/// Prevents that a spreadsheet executes a cell that begins like a formula.
fn harmless(cell: &str) -> String {
    let begins_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']);
    let is_number = cell.parse::<f64>().is_ok_and(f64::is_finite);
    if begins_formula && !is_number { format!("'{cell}") } else { cell.into() }
}

fn row(drift: &DriftView) -> Result<[String; COLUMNS.len()], DriftError> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let time = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.to_rfc3339()).unwrap_or_default();
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
        text(&drift.region),
        drift.severity.into_str().into(),
        people.and_then(|people| people.severity_reason.clone()).unwrap_or_default(),
        drift.kind.into_str().into(),
        drift.status.into_str().into(),
        drift.cost_impact_monthly.to_f64().to_string(),
        paths(drift)?,
        time(Some(drift.detected_at)),
        time(Some(drift.first_seen_at)),
        time(Some(drift.last_seen_at)),
        drift.occurrences.to_string(),
        by.cloned().unwrap_or_default(),
        time(drift.approved_at.or(drift.rejected_at)),
        reason.cloned().unwrap_or_default(),
        time(drift.resolved_at),
        time(drift.approved_until),
    ])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for cell in ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "|x", "%x", "-inf"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["-12.5", "plain", "a=b", ""] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
