//! Reads the output of scanners into findings: parse, compare, redact, rule. No database, no HTTP.
//!
//! Start at [`read`]. The upload itself is never stored or logged, nor any error text that could
//! quote it.

pub mod diff;
pub mod json;

mod assess;
mod driftctl;
mod gzip;
mod marks;
mod place;
mod plan;
mod redact;
mod report;
mod stream;
mod taint;

#[cfg(test)]
mod samples;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use gzip::{MAX_BYTES, unpack};
pub use report::{Report, read_report};

use assess::Verdict;

use crate::drift::Kind;
use crate::fingerprint::StateKey;
use crate::rules::{Rules, Severity};
use json::JsonError;

/// How many entries an upload may have.
pub const MAX_ENTRIES: usize = 10_000;
/// How large one state may be, as JSON text.
pub const MAX_STATE_BYTES: usize = 256 * 1024;

const MAX_WARNINGS: usize = 100;
/// How much the findings of an upload may hold: hiding secrets and writing out paths may make it larger
/// than the upload was.
const MAX_KEPT_BYTES: usize = 2 * MAX_BYTES;

/// Which list of a plan is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// What differs between the recorded state and reality.
    #[default]
    Drift,
    /// What differs between reality and the configuration.
    Changes,
}

/// What the uploader says about a scan.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub account_id: Option<String>,
    pub region: Option<String>,
    pub source: Source,
    /// Whether driftctl's unmanaged resources are wanted.
    pub unmanaged: bool,
}

/// What the service judges findings by.
#[derive(Clone, Copy)]
pub struct Judgement<'a> {
    pub rules: &'a Rules,
    pub state_key: &'a StateKey,
}

/// A drift as a scan saw it, redacted and ruled.
#[derive(Clone, Debug)]
pub struct Finding {
    pub kind: Kind,
    pub address: String,
    pub resource_type: String,
    pub resource_id: String,
    pub region: String,
    pub account_id: Option<String>,
    /// Redacted JSON text.
    pub expected_state: Option<String>,
    /// Redacted JSON text.
    pub actual_state: Option<String>,
    /// The changed paths, as JSON text.
    pub difference: String,
    pub actual_hash: String,
    pub severity: Severity,
    pub is_state_only: bool,
}

/// What an upload says.
#[derive(Debug, Default)]
pub struct Scan {
    pub findings: Vec<Finding>,
    /// When the scanner ran, if it says so.
    pub taken_at: Option<DateTime<Utc>>,
    /// Why it can't tell what is gone, if it can't.
    pub incomplete: Option<String>,
    pub ignored: usize,
    pub skipped: usize,
    pub skipped_reasons: BTreeMap<&'static str, usize>,
    pub warnings: Vec<String>,
    kept_bytes: usize,
}

impl Scan {
    fn take(&mut self, verdict: Verdict, address: &str) -> Result<(), ScanError> {
        match verdict {
            Verdict::Drift(finding) => {
                let texts = [&finding.expected_state, &finding.actual_state].into_iter().flatten();
                self.kept_bytes += texts.map(String::len).sum::<usize>() + finding.difference.len();
                if self.kept_bytes > MAX_KEPT_BYTES {
                    return Err(ScanError::TooMuchDrift);
                }
                self.findings.push(*finding);
            }
            Verdict::Ignored => self.ignored += 1,
            Verdict::Same => self.skip("no value differs"),
            Verdict::Refused(reason) => self.skip_unread(reason, address),
        }
        Ok(())
    }

    /// Counts an entry that holds no drift.
    fn skip(&mut self, reason: &'static str) {
        self.skipped += 1;
        *self.skipped_reasons.entry(reason).or_default() += 1;
    }

    /// Counts an entry that may be a drift but can't be taken: what is absent may then be there.
    fn skip_unread(&mut self, reason: &'static str, address: &str) {
        self.skip(reason);
        self.warn(format!("{}: skipped, {reason}", shortened(address)));
        self.incomplete.get_or_insert_with(|| "some entries were skipped".into());
    }

    fn warn(&mut self, warning: String) {
        match self.warnings.len() {
            0..MAX_WARNINGS => self.warnings.push(warning),
            MAX_WARNINGS => self.warnings.push("there are more warnings than are listed".into()),
            _ => {}
        }
    }
}

/// What Postgres keeps of a time.
pub fn to_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

fn shortened(address: &str) -> &str {
    &address[..address.floor_char_boundary(256)]
}

#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    #[error("not valid JSON, or not of the expected form, at line {line} column {column}")]
    Malformed { line: usize, column: usize },
    #[error("a value {0}")]
    Value(JsonError),
    #[error("{0}")]
    Unsupported(String),
    #[error("at most {MAX_BYTES} bytes after decompression are accepted")]
    TooLarge,
    #[error("at most {MAX_ENTRIES} entries are accepted")]
    TooManyEntries,
    #[error("its drifts take more than {MAX_KEPT_BYTES} bytes to store")]
    TooMuchDrift,
    #[error("it holds too many sensitive values to look for")]
    TooManySecrets,
    #[error("the compressed body is damaged")]
    BadCompression,
}

/// serde's own messages quote the input, which may hold secrets.
impl From<serde_json::Error> for ScanError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}

impl From<JsonError> for ScanError {
    fn from(error: JsonError) -> Self {
        Self::Value(error)
    }
}

/// The top-level keys that tell the formats apart.
#[derive(Deserialize)]
struct Shape {
    format_version: Option<String>,
    errored: Option<bool>,
    values: Option<Present>,
    /// Of a state as Terraform stores it.
    lineage: Option<Present>,
    planned_values: Option<Present>,
    resource_drift: Option<Present>,
    resource_changes: Option<Present>,
    prior_state: Option<Present>,
    configuration: Option<Present>,
    summary: Option<Present>,
    #[serde(rename = "@level")]
    log_level: Option<Present>,
}

type Present = serde::de::IgnoredAny;

impl Shape {
    fn is_plan(&self) -> bool {
        [
            &self.planned_values,
            &self.resource_drift,
            &self.resource_changes,
            &self.prior_state,
            &self.configuration,
        ]
        .into_iter()
        .any(Option::is_some)
    }
}

/// Reads a plan (`terraform show -json`, OpenTofu alike) or driftctl's JSON.
pub fn read(upload: &[u8], scope: &Scope, judgement: Judgement<'_>) -> Result<Scan, ScanError> {
    let upload = std::str::from_utf8(upload).map_err(|_| ScanError::Malformed { line: 1, column: 1 })?;
    let mut text = serde_json::Deserializer::from_str(upload);
    let shape = Shape::deserialize(&mut text)?;
    let refuse = |hint: &str| Err(ScanError::Unsupported(hint.into()));

    if shape.log_level.is_some() {
        return refuse(
            "this is Terraform's UI stream (JSON lines); save the plan with `-out=plan` and send the output of \
             `terraform show -json plan`",
        );
    }
    text.end()?;
    if shape.errored == Some(true) {
        return refuse("this plan errored, so it is only a part; fix the error and plan again");
    }
    if shape.format_version.as_ref().is_some_and(|version| !version.starts_with("1.")) {
        return refuse("this format_version is not supported, only 1.x is");
    }
    if shape.is_plan() {
        plan::read(upload, scope, judgement)
    } else if shape.values.is_some() || shape.lineage.is_some() {
        refuse(
            "this is a state, not a plan; save a plan with `-out=plan` and send `terraform show -json plan`",
        )
    } else if shape.summary.is_some() {
        driftctl::read(upload, scope, judgement)
    } else {
        refuse("this is neither a plan (`terraform show -json plan`) nor driftctl's JSON output")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(upload: &str) -> ScanError {
        let (rules, key) = (Rules::default(), StateKey::new(b"key"));
        read(upload.as_bytes(), &Scope::default(), Judgement { rules: &rules, state_key: &key }).unwrap_err()
    }

    #[test]
    fn what_is_no_plan_is_refused_with_a_hint() {
        for (upload, hint) in [
            (r#"{"format_version":"1.0","values":{}}"#, "a state, not a plan"),
            (r#"{"@level":"info","type":"version"}{"@level":"info"}"#, "UI stream"),
            (r#"{"format_version":"1.2","planned_values":{},"errored":true}"#, "errored"),
            (r#"{"format_version":"2.0","planned_values":{}}"#, "only 1.x"),
            (r#"{"hello":1}"#, "neither a plan"),
        ] {
            assert!(refusal(upload).to_string().contains(hint), "{upload}");
        }
    }

    #[test]
    fn malformed_json_is_refused_by_its_place_and_never_quoted() {
        for upload in
            ["", "[]", "{", "nope", r#"{"format_version":"hunter2", "errored": "hunter2"}"#, r#"{} {}"#]
        {
            let refusal = refusal(upload);
            assert!(matches!(refusal, ScanError::Malformed { .. }), "{upload}: {refusal}");
            assert!(!refusal.to_string().contains("hunter2"));
        }
    }
}
