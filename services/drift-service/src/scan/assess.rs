use serde_json::value::RawValue;

use super::diff::{Change, Side, TooManyChanges, changed_paths};
use super::json::{Json, JsonError};
use super::marks::Marks;
use super::place::Witnesses;
use super::redact::redact;
use super::taint::Taint;
use super::{Finding, Judgement, MAX_STATE_BYTES, Scope};
use crate::drift::Kind;
use crate::rules::{self, Severity};
use crate::text::NUL;

const MAX_ADDRESS_CHARS: usize = 2048;
const MAX_TYPE_CHARS: usize = 256;
const MAX_ID_CHARS: usize = 1024;

/// One resource as an upload shows it, not yet redacted.
pub struct Observation<'a> {
    pub kind: Kind,
    pub address: String,
    pub resource_type: String,
    /// Where the scanner names it itself.
    pub resource_id: Option<String>,
    pub expected: Option<Json>,
    pub actual: Option<Json>,
    pub expected_marks: Marks<'a>,
    pub actual_marks: Marks<'a>,
    /// Marks what the expected state does not know yet.
    pub unknown: Marks<'a>,
    pub provider_region: Option<&'a str>,
    pub is_state_only: bool,
}

/// What became of an observation.
pub enum Verdict {
    Drift(Box<Finding>),
    Ignored,
    /// Nothing differs.
    Same,
    /// It can't be taken, for this reason.
    Refused(&'static str),
}

/// Everything a verdict depends on besides the observation.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    pub scope: &'a Scope,
    pub judgement: Judgement<'a>,
    pub taint: &'a Taint,
}

/// Compares, rules and redacts, in this order: what is hidden can't be compared any more.
pub fn assess(observation: Observation<'_>, bench: Bench<'_>) -> Verdict {
    if !is_storable(&observation) {
        return Verdict::Refused("its address, type or id is out of bounds");
    }
    let Ok(difference) = compare(&observation) else {
        return Verdict::Refused("it differs in too many paths");
    };
    if observation.kind == Kind::Changed && difference.is_empty() {
        return Verdict::Same;
    }
    let subject = subject(&observation, &difference);
    if bench.judgement.rules.ignores(&subject) {
        return Verdict::Ignored;
    }
    let severity = bench.judgement.rules.severity(&subject);
    Verdict::Drift(Box::new(finding(observation, difference, severity, bench)))
}

/// A drift that somebody reports outright: no rule ignores it, and the reporter may rule it.
pub fn assess_report(
    observation: Observation<'_>,
    severity: Option<Severity>,
    bench: Bench<'_>,
) -> Result<Finding, TooManyChanges> {
    let difference = compare(&observation)?;
    let severity =
        severity.unwrap_or_else(|| bench.judgement.rules.severity(&subject(&observation, &difference)));
    Ok(finding(observation, difference, severity, bench))
}

fn is_storable(observation: &Observation<'_>) -> bool {
    let fits = |text: &str, max_chars| !text.contains(NUL) && text.chars().count() <= max_chars;
    fits(&observation.address, MAX_ADDRESS_CHARS)
        && fits(&observation.resource_type, MAX_TYPE_CHARS)
        && observation.resource_id.as_ref().is_none_or(|id| fits(id, MAX_ID_CHARS))
}

fn compare(observation: &Observation<'_>) -> Result<Vec<Change>, TooManyChanges> {
    if observation.kind != Kind::Changed {
        return Ok(Vec::new());
    }
    let expected = observation.expected.as_ref().unwrap_or(&Json::Null);
    let actual = observation.actual.as_ref().unwrap_or(&Json::Null);
    changed_paths(
        Side { value: expected, marks: observation.expected_marks },
        Side { value: actual, marks: observation.actual_marks },
        observation.unknown,
    )
}

fn subject<'a>(observation: &'a Observation<'_>, changes: &'a [Change]) -> rules::Subject<'a> {
    rules::Subject {
        address: &observation.address,
        kind: observation.kind,
        changes,
        is_state_only: observation.is_state_only,
    }
}

fn finding(
    observation: Observation<'_>,
    difference: Vec<Change>,
    severity: Severity,
    bench: Bench<'_>,
) -> Finding {
    let Observation { address, expected, actual, .. } = observation;
    let witnesses = Witnesses { actual: actual.as_ref(), expected: expected.as_ref(), taint: bench.taint };
    let resource_id = observation.resource_id.unwrap_or_else(|| witnesses.resource_id(&address));
    let region = witnesses.region([observation.provider_region, bench.scope.region.as_deref()]);
    let account_id = bench.scope.account_id.clone().or_else(|| witnesses.account_id());
    let actual_hash = bench.judgement.state_key.identify(actual.as_ref());
    let shown = |state: Option<Json>, marks| state.map(|state| redact(state, marks, bench.taint).to_text());
    Finding {
        kind: observation.kind,
        expected_state: shown(expected, observation.expected_marks),
        actual_state: shown(actual, observation.actual_marks),
        address,
        resource_type: observation.resource_type,
        resource_id,
        region,
        account_id,
        difference: serde_json::json!(difference).to_string(),
        actual_hash,
        severity,
        is_state_only: observation.is_state_only,
    }
}

/// A state within its bounds; `null` is none.
pub fn read_state(raw: Option<&RawValue>) -> Result<Option<Json>, StateError> {
    let Some(raw) = raw else { return Ok(None) };
    if raw.get().len() > MAX_STATE_BYTES {
        return Err(StateError::TooLarge);
    }
    match Json::parse(raw)? {
        Json::Null => Ok(None),
        state => Ok(Some(state)),
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("its state is larger than {MAX_STATE_BYTES} bytes")]
    TooLarge,
    #[error("its state can't be read: {0}")]
    Json(#[from] JsonError),
    #[error("it differs in too many paths")]
    TooManyChanges,
}

impl StateError {
    /// The reason for a report.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge => "its state is too large",
            Self::TooManyChanges => "it differs in too many paths",
            Self::Json(JsonError::TooDeep) => "its state nests too deep",
            Self::Json(JsonError::Invalid) => "its state is not valid JSON",
        }
    }
}
