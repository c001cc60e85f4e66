use std::collections::BTreeMap;
use std::time::Instant;

use chrono::{DateTime, Utc};
use contracts::scan::{Format, Tool};

use crate::assess::{Context, Outcome, RuleUses, assess};
use crate::entry::Entry;
use crate::error::ScanError;
use crate::finding::{Finding, Settled};
use crate::limits::{MAX_ENTRIES, MAX_KEPT_BYTES};

const MAX_WARNINGS: usize = 100;
const MAX_SHOWN_CHARS: usize = 256;

/// The reason why absence from a scan does not mean that a resource no longer drifts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    pub reason: String,
    /// Whether the scan only lacks proof that it is complete, so that the caller may vouch for it.
    pub is_assumable: bool,
}

/// The entries and bytes of a scan that count towards its limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub entries: usize,
    pub bytes: usize,
}

impl Size {
    pub(crate) fn check(self) -> Result<(), ScanError> {
        match self {
            Self { entries, .. } if entries > MAX_ENTRIES => Err(ScanError::TooManyEntries),
            Self { bytes, .. } if bytes > MAX_KEPT_BYTES => Err(ScanError::TooMuchDrift),
            _ => Ok(()),
        }
    }
}

/// Fails after the deadline.
pub(crate) fn check_time(deadline: Option<Instant>) -> Result<(), ScanError> {
    if deadline.is_some_and(|deadline| Instant::now() > deadline) { Err(ScanError::TooSlow) } else { Ok(()) }
}

/// The program that made a scan, and the format of its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub tool: Tool,
    /// At most 32 characters of a version number.
    pub version: Option<String>,
    pub format: Format,
}

impl Default for Origin {
    fn default() -> Self {
        Self { tool: Tool::Unknown, version: None, format: Format::Unknown }
    }
}

impl Origin {
    /// Leaves out a version that is not one, because an upload can contain any text there.
    pub(crate) fn new(tool: Tool, version: Option<&str>, format: Format) -> Self {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '+');
        let version =
            version.filter(|version| (1..=32).contains(&version.len()) && version.chars().all(is_part));
        Self { tool, version: version.map(Into::into), format }
    }
}

/// The contents of an upload for one stack.
#[derive(Debug, Default)]
pub struct Scan {
    pub stack: String,
    pub findings: Vec<Finding>,
    /// Resources in the scan that do not drift.
    pub settled: Vec<Settled>,
    /// The time at which the scanner ran, if the upload contains it.
    pub taken_at: Option<DateTime<Utc>>,
    pub origin: Origin,
    pub incomplete: Option<Incomplete>,
    /// Whether an entry that may be a drift cannot be read.
    pub has_unread_entries: bool,
    pub ignored: usize,
    pub skipped: usize,
    pub skipped_reasons: BTreeMap<&'static str, usize>,
    pub warnings: Vec<String>,
    pub rule_uses: RuleUses,
    pub(crate) size: Size,
}

impl Scan {
    /// Creates a scan with a single finding, which implies nothing about other drifts.
    pub fn of_finding(stack: &str, finding: Finding) -> Self {
        Self { stack: stack.into(), findings: vec![finding], ..Self::default() }
    }

    /// Counts an entry that may be a drift.
    pub(crate) fn count(&mut self, deadline: Option<Instant>) -> Result<(), ScanError> {
        self.size.entries += 1;
        self.size.check()?;
        check_time(deadline)
    }

    pub(crate) fn add(&mut self, entry: Entry<'_>, context: Context<'_>) -> Result<(), ScanError> {
        let address = shortened(&context.redactor.address(&entry.address)).to_owned();
        match assess(entry, context, &mut self.rule_uses) {
            Outcome::Drift(finding) => {
                let texts = [&finding.expected_state, &finding.actual_state].into_iter().flatten();
                // The hashes of the changes repeat the paths of the difference.
                self.size.bytes += texts.map(String::len).sum::<usize>() + 2 * finding.difference.len();
                self.size.check()?;
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
            Outcome::Late => return Err(ScanError::TooSlow),
        }
        Ok(())
    }

    /// Counts an entry that is not a drift.
    pub(crate) fn skip(&mut self, reason: &'static str) {
        self.skipped += 1;
        *self.skipped_reasons.entry(reason).or_default() += 1;
    }

    /// Counts an entry that may be a drift but cannot be read, so that absent resources may still drift.
    /// `address` is redacted.
    pub(crate) fn skip_unread(&mut self, reason: &'static str, address: &str) {
        self.skip(reason);
        self.has_unread_entries = true;
        self.warn(format!("{}: skipped, {reason}", shortened(address)));
        self.is_partial("some entries were skipped");
    }

    /// Records a reason for which nothing can be resolved, even if the caller vouches for the scan.
    pub(crate) fn is_partial(&mut self, reason: impl Into<String>) {
        if self.incomplete.as_ref().is_none_or(|known| known.is_assumable) {
            self.incomplete = Some(Incomplete { reason: reason.into(), is_assumable: false });
        }
    }

    /// Records a reason to doubt that the scan is complete. The caller may vouch for it.
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
