use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FailOn;
use crate::client::plain;

/// The report of one file, or the sum of all files.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Report {
    pub created: u64,
    pub unchanged: u64,
    pub changed: u64,
    pub resolved: u64,
    pub ignored: u64,
    pub skipped: u64,
    pub skipped_reasons: BTreeMap<String, u64>,
    pub warnings: Vec<String>,
    pub dry_run: bool,
    pub drifts: Vec<ListedDrift>,
    pub stacks: Vec<StackCounts>,
    /// The stacks that could not be scanned.
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    #[serde(skip)]
    pub is_used: bool,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListedDrift {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub stack: String,
    pub address: String,
    pub kind: String,
    pub severity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub change: String,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct StackCounts {
    pub stack: String,
    pub created: u64,
    pub unchanged: u64,
    pub changed: u64,
    pub resolved: u64,
}

impl ListedDrift {
    fn rank(&self) -> u8 {
        match self.severity.as_str() {
            "critical" => 2,
            "warning" => 1,
            _ => 0,
        }
    }

    /// Returns the address of the drift in the console.
    pub(crate) fn link(&self, base: &str) -> Option<String> {
        self.id.as_ref().map(|id| format!("{base}/#/drifts/{id}"))
    }
}

impl Report {
    /// Reads a response, and makes all its texts safe to print.
    pub(crate) fn read(response: Value, stack: &str) -> Result<Self> {
        let mut report: Self = serde_json::from_value(response)?;
        let texts = report.warnings.iter_mut().chain(report.drifts.iter_mut().flat_map(|drift| {
            let required = [
                &mut drift.stack,
                &mut drift.address,
                &mut drift.kind,
                &mut drift.severity,
                &mut drift.change,
            ];
            required.into_iter().chain(&mut drift.id).chain(&mut drift.reason)
        }));
        texts
            .chain(report.stacks.iter_mut().map(|stack| &mut stack.stack))
            .for_each(|text| *text = plain(text));
        report.skipped_reasons =
            report.skipped_reasons.into_iter().map(|(reason, count)| (plain(&reason), count)).collect();
        if report.stacks.is_empty() {
            let Self { created, unchanged, changed, resolved, .. } = report;
            report.stacks = vec![StackCounts { stack: plain(stack), created, unchanged, changed, resolved }];
        }
        report.is_used = true;
        Ok(report)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.created += other.created;
        self.unchanged += other.unchanged;
        self.changed += other.changed;
        self.resolved += other.resolved;
        self.ignored += other.ignored;
        self.skipped += other.skipped;
        for (reason, count) in other.skipped_reasons {
            *self.skipped_reasons.entry(reason).or_default() += count;
        }
        self.warnings.extend(other.warnings);
        self.dry_run |= other.dry_run;
        self.drifts.extend(other.drifts);
        self.drifts.sort_by_key(|drift| std::cmp::Reverse(drift.rank()));
        self.stacks.extend(other.stacks);
        self.is_used = true;
    }

    /// Whether there is new or changed drift that the caller wants to fail on.
    pub(crate) fn fails(&self, fail_on: FailOn) -> bool {
        let least = match fail_on {
            FailOn::Never => return false,
            FailOn::Any => return self.created + self.changed > 0,
            FailOn::Warning => 1,
            FailOn::Critical => 2,
        };
        self.drifts.iter().any(|drift| drift.rank() >= least)
    }
}
