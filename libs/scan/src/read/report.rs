use std::time::{Duration, Instant};

use contracts::drift::{Kind, Severity};
use serde_json::value::RawValue;

use super::state::{StateError, read_state};
use crate::assess::{CompareError, Context, Criteria, assess_report};
use crate::entry::Entry;
use crate::finding::Finding;
use crate::redact::{Redactor, Secrets};

/// Maximum time for comparing the two states. The caller waits on a thread that serves others too.
const ASSESSING: Duration = Duration::from_secs(1);

/// A drift that is reported directly, without a scan.
pub struct Report<'a> {
    pub kind: Kind,
    pub stack: &'a str,
    pub address: String,
    pub resource_type: String,
    pub resource_id: String,
    pub region: Option<&'a str>,
    pub account_id: Option<&'a str>,
    pub expected_state: Option<&'a RawValue>,
    pub actual_state: Option<&'a RawValue>,
    /// The severity that the reporter set; `None` leaves it to the rules.
    pub severity: Option<Severity>,
}

/// An error in a report, and the field that has it.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {source}")]
pub struct ReportError {
    pub field: &'static str,
    pub source: StateError,
}

/// Redacts and rates a report. No value in it is marked as sensitive.
///
/// # Errors
/// If a state is too large or nests too deep.
pub fn read_report(report: Report<'_>, criteria: Criteria<'_>) -> Result<Finding, ReportError> {
    let state = |field, raw| read_state(raw).map_err(|source| ReportError { field, source });
    let secrets = Secrets::none();
    let redactor = Redactor::new(&secrets, criteria.key);
    let entry = Entry {
        resource_id: Some(report.resource_id),
        expected: state("expectedState", report.expected_state)?,
        actual: state("actualState", report.actual_state)?,
        ..Entry::new(report.kind, report.address, report.resource_type)
    };
    let context = Context {
        criteria,
        redactor: &redactor,
        stack: report.stack,
        region: report.region,
        account: report.account_id,
        is_planned: false,
        deadline: Some(Instant::now() + ASSESSING),
    };
    let finding = assess_report(entry, report.severity, context)
        .map_err(|error| match error {
            CompareError::TooManyChanges => StateError::TooManyChanges,
            CompareError::TooSlow => StateError::TooSlow,
        })
        .map_err(|source| ReportError { field: "actualState", source })?;
    // Values that the reporter gave take precedence over those in the state.
    Ok(Finding {
        region: report.region.map(Into::into).or(finding.region),
        account_id: report.account_id.map(Into::into).or(finding.account_id),
        lacks_id: false,
        ..finding
    })
}
