use std::collections::BTreeMap;
use std::time::Instant;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::assess::{Bench, Outcome, RuleUses, Settled, assess};
use crate::entry::Entry;
use crate::error::ScanError;
use crate::finding::Finding;

/// How large an upload may be once it is unpacked.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// How many entries that may be drifts an upload may have.
pub const MAX_ENTRIES: usize = 10_000;
/// How large one state may be, as JSON text.
pub const MAX_STATE_BYTES: usize = 256 * 1024;
/// How much the findings of an upload may take: hiding secrets and writing out paths may make it larger
/// than the upload was.
const MAX_KEPT_BYTES: usize = 2 * MAX_BYTES;
const MAX_WARNINGS: usize = 100;
const MAX_SHOWN_CHARS: usize = 256;

/// Which list of a plan is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// What differs between the recorded state and reality.
    #[default]
    Drift,
    /// What differs between reality and the configuration.
    Changes,
}

/// What the caller says about an upload.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The name of the stack, in which `{module}` and `{n}` stand for the module's path and the number
    /// of a plan among several.
    pub stack: String,
    pub account_id: Option<String>,
    pub region: Option<String>,
    pub source: Source,
    /// Whether driftctl's unmanaged resources are wanted.
    pub unmanaged: bool,
    /// When reading must have ended.
    pub deadline: Option<Instant>,
}

impl Scope {
    pub fn of_stack(stack: impl Into<String>) -> Self {
        Self {
            stack: stack.into(),
            account_id: None,
            region: None,
            source: Source::Drift,
            unmanaged: false,
            deadline: None,
        }
    }
}

/// Why a scan cannot tell what is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    pub reason: String,
    /// The scan only fails to show that it is complete: the caller may vouch for it.
    pub is_assumable: bool,
}

/// What an upload says about one stack.
#[derive(Debug, Default)]
pub struct Scan {
    pub stack: String,
    pub findings: Vec<Finding>,
    /// Resources that the scan shows, and that do not drift.
    pub settled: Vec<Settled>,
    /// When the scanner ran, if it says so.
    pub taken_at: Option<DateTime<Utc>>,
    pub incomplete: Option<Incomplete>,
    pub ignored: usize,
    pub skipped: usize,
    pub skipped_reasons: BTreeMap<&'static str, usize>,
    pub warnings: Vec<String>,
    pub rule_uses: RuleUses,
    pub(crate) entries: usize,
    pub(crate) kept_bytes: usize,
}

impl Scan {
    /// A scan that shows one drift and says nothing of others.
    pub fn of_finding(stack: &str, finding: Finding) -> Self {
        Self { stack: stack.into(), findings: vec![finding], ..Self::default() }
    }

    /// Counts an entry that may be a drift.
    pub(crate) fn count(&mut self, deadline: Option<Instant>) -> Result<(), ScanError> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(ScanError::TooManyEntries);
        }
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            Err(ScanError::TooSlow)
        } else {
            Ok(())
        }
    }

    pub(crate) fn add(&mut self, entry: Entry<'_>, bench: Bench<'_>) -> Result<(), ScanError> {
        let address = shortened(&bench.redactor.address(&entry.address)).to_owned();
        match assess(entry, bench, &mut self.rule_uses) {
            Outcome::Drift(finding) => {
                let texts = [&finding.expected_state, &finding.actual_state].into_iter().flatten();
                self.kept_bytes += texts.map(String::len).sum::<usize>() + finding.difference.len();
                if self.kept_bytes > MAX_KEPT_BYTES {
                    return Err(ScanError::TooMuchDrift);
                }
                self.findings.push(*finding);
            }
            Outcome::Ignored(settled) => {
                self.ignored += 1;
                self.settled.push(settled);
            }
            Outcome::Same(settled) => {
                self.skip("no value differs");
                self.settled.push(settled);
            }
            Outcome::Refused(reason) => self.skip_unread(reason, &address),
        }
        Ok(())
    }

    /// Counts an entry that holds no drift.
    pub(crate) fn skip(&mut self, reason: &'static str) {
        self.skipped += 1;
        *self.skipped_reasons.entry(reason).or_default() += 1;
    }

    /// Counts an entry that may be a drift and cannot be read: what is absent may then exist.
    /// `address` is redacted.
    pub(crate) fn skip_unread(&mut self, reason: &'static str, address: &str) {
        self.skip(reason);
        self.warn(format!("{}: skipped, {reason}", shortened(address)));
        self.is_partial("some entries were skipped");
    }

    /// Notes a reason for which nothing can be resolved, whatever the caller says.
    pub(crate) fn is_partial(&mut self, reason: impl Into<String>) {
        if self.incomplete.as_ref().is_none_or(|known| known.is_assumable) {
            self.incomplete = Some(Incomplete { reason: reason.into(), is_assumable: false });
        }
    }

    /// Notes that nothing shows whether the scan is complete.
    pub(crate) fn may_be_partial(&mut self, reason: impl Into<String>) {
        self.incomplete.get_or_insert_with(|| Incomplete { reason: reason.into(), is_assumable: true });
    }

    pub(crate) fn warn(&mut self, warning: String) {
        match self.warnings.len() {
            0..MAX_WARNINGS => self.warnings.push(warning),
            MAX_WARNINGS => self.warnings.push("there are more warnings than are listed".into()),
            _ => {}
        }
    }
}

pub(crate) fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_SHOWN_CHARS)]
}
