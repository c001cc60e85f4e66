use serde_json::value::RawValue;

use super::assess::{Bench, Observation, StateError, assess_report, read_state};
use super::diff::TooManyChanges;
use super::marks::Marks;
use super::taint::Taint;
use super::{Finding, Judgement, Scope};
use crate::drift::Kind;
use crate::rules::Severity;

/// A drift that somebody reports outright, not yet redacted.
pub struct Report<'a> {
    pub kind: Kind,
    pub address: String,
    pub resource_type: String,
    pub resource_id: String,
    pub region: String,
    pub account_id: Option<String>,
    pub expected_state: Option<&'a RawValue>,
    pub actual_state: Option<&'a RawValue>,
    /// Ruled by the reporter, else by the rules.
    pub severity: Option<Severity>,
}

/// What is wrong with a report, and where.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {source}")]
pub struct ReportError {
    pub field: &'static str,
    pub source: StateError,
}

/// Redacts and rules a report. Nothing in it is marked, so key names alone tell.
///
/// # Errors
/// If a state is out of bounds.
pub fn read_report(report: Report<'_>, judgement: Judgement<'_>) -> Result<Finding, ReportError> {
    let state = |field, raw| read_state(raw).map_err(|source| ReportError { field, source });
    let (taint, scope) = (Taint::nothing(), Scope { account_id: report.account_id, ..Scope::default() });
    let observation = Observation {
        kind: report.kind,
        address: report.address,
        resource_type: report.resource_type,
        resource_id: Some(report.resource_id),
        expected: state("expectedState", report.expected_state)?,
        actual: state("actualState", report.actual_state)?,
        expected_marks: Marks::NONE,
        actual_marks: Marks::NONE,
        unknown: Marks::NONE,
        provider_region: None,
        is_state_only: false,
    };
    let bench = Bench { scope: &scope, judgement, taint: &taint };
    let finding = assess_report(observation, report.severity, bench)
        .map_err(|TooManyChanges| ReportError { field: "actualState", source: StateError::TooManyChanges })?;
    Ok(Finding { region: report.region, ..finding })
}
