//! The columns of a drift that come from a finding.

use contracts::drift::{Severity, Status};
use scan::{Decision, Finding, PathHash};
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::entity::ActiveModel;
use super::live::{Live, Shown};
use crate::text::NUL;

/// Returns all columns that come from a finding. With `keeps_severity`, a severity that a person has set
/// stays.
pub fn of(finding: Finding, fingerprint: String, live: &Live, keeps_severity: bool) -> ActiveModel {
    let severity: Severity = finding.severity;
    let mut change = ActiveModel {
        search_text: Set(search_text(&finding)),
        search_paths: Set(search_paths(&finding.difference)),
        kind: Set(finding.kind),
        expected_state: Set(finding.expected_state.clone()),
        actual_state: Set(finding.actual_state.clone()),
        difference: Set(finding.difference.clone()),
        actual_hash: Set(finding.actual_hash.clone()),
        shown_hash: Set(Some(finding.shown_hash.clone())),
        decidable: Set(Some(write_hashes(&finding.decidable))),
        ..place_of(&finding, fingerprint, live)
    };
    if !keeps_severity {
        change.severity = Set(severity);
        change.severity_rank = Set(severity.rank());
        change.severity_reason = Set(finding.reason.map(Into::into));
    }
    change
}

/// Returns the columns that name and locate the resource. A column that the scan does not know keeps its
/// value.
pub fn place_of(finding: &Finding, fingerprint: String, live: &Live) -> ActiveModel {
    let known = |found: &Option<String>, known: &str| found.clone().unwrap_or_else(|| known.into());
    let resource_id = if finding.lacks_id { &live.resource_id } else { &finding.resource_id };
    ActiveModel {
        fingerprint: Set(fingerprint),
        address: Set(finding.address.clone()),
        resource_id: Set(resource_id.clone()),
        region: Set(known(&finding.region, &live.region)),
        account_id: Set(finding.account_id.clone().or_else(|| live.account_id.clone())),
        provider: Set(known(&finding.provider, &live.provider)),
        provider_config: Set(known(&finding.provider_config, &live.provider_config)),
        search_text: Set(search_text(finding)),
        ..ActiveModel::default()
    }
}

/// The text that `q` searches.
pub fn search_text(finding: &Finding) -> String {
    [&finding.resource_id, &finding.address, &finding.resource_type]
        .map(|text| text.to_lowercase())
        .join("\n")
}

/// The changed paths that `attr:` searches.
pub fn search_paths(difference: &str) -> String {
    #[derive(Deserialize)]
    struct Changed {
        path: Vec<Value>,
    }
    let changed: Vec<Changed> = serde_json::from_str(difference).unwrap_or_default();
    let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_lowercase);
    let path = |changed: &Changed| changed.path.iter().map(step).collect::<Vec<_>>().join(".");
    changed.iter().map(path).collect::<Vec<_>>().join("\n").replace(NUL, "\u{fffd}")
}

pub fn write_hashes(hashes: &[PathHash]) -> String {
    serde_json::to_string(hashes).unwrap_or_else(|_| "[]".into())
}

pub fn read_hashes(text: Option<&str>) -> Option<Vec<PathHash>> {
    serde_json::from_str(text?).ok()
}

/// Reads a column in which an empty text means unknown.
pub fn known(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.into())
}

/// Converts a live drift for matching.
pub fn to_stored(live: &Live, shown: Option<&Shown>) -> scan::Stored<Uuid> {
    scan::Stored {
        id: live.id,
        kind: live.kind,
        decision: if live.status == Status::Detected { Decision::None } else { Decision::Made },
        fingerprint: live.fingerprint.clone(),
        address: live.address.clone(),
        resource_type: live.resource_type.clone(),
        resource_id: live.resource_id.clone(),
        region: known(&live.region),
        account_id: live.account_id.clone(),
        provider: known(&live.provider),
        provider_config: known(&live.provider_config),
        actual_hash: live.actual_hash.clone(),
        shown_hash: live.shown_hash.clone(),
        decidable: read_hashes(live.decidable.as_deref()),
        actual_state: shown.and_then(|shown| shown.actual_state.clone()),
        difference: shown.map(|shown| shown.difference.clone()),
    }
}
