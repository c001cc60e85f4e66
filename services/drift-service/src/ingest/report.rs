use std::collections::BTreeMap;

use contracts::drift::{Kind, Severity};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Maximum number of drifts, and of warnings, that a report lists.
pub(super) const MAX_LISTED: usize = 200;

/// The result of an upload.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngestReport {
    /// New drifts.
    pub created: usize,
    /// Drifts without a change.
    pub unchanged: usize,
    /// Drifts with a different actual or expected value. Without a decision, the drift was updated;
    /// otherwise, a new drift has replaced it.
    pub changed: usize,
    /// Drifts whose resources no longer drift.
    pub resolved: usize,
    /// Drifts that the ignore rules cover.
    pub ignored: usize,
    /// Entries that contain no drift or cannot be read.
    pub skipped: usize,
    pub skipped_reasons: BTreeMap<&'static str, usize>,
    pub warnings: Vec<String>,
    /// `true` if nothing was stored.
    pub dry_run: bool,
    /// The new and changed drifts, most severe first, at most 200.
    pub drifts: Vec<IngestedDrift>,
    /// The stacks of an upload with several plans.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stacks: Vec<StackReport>,
}

/// A drift that is new or changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngestedDrift {
    /// Absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    pub stack: String,
    pub address: String,
    pub kind: Kind,
    pub severity: Severity,
    pub reason: Option<String>,
    /// `created` or `changed`.
    pub change: &'static str,
}

/// The counts of one stack.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StackReport {
    pub stack: String,
    pub created: usize,
    /// The number of critical drifts among `created`.
    pub created_critical: usize,
    pub unchanged: usize,
    pub changed: usize,
    pub resolved: usize,
}

impl IngestReport {
    pub fn add(&mut self, stack: StackReport) {
        self.created += stack.created;
        self.unchanged += stack.unchanged;
        self.changed += stack.changed;
        self.resolved += stack.resolved;
        self.stacks.push(stack);
    }

    /// Sorts the most severe drifts first, and cuts the list and the warnings at [`MAX_LISTED`].
    pub fn finish(mut self) -> Self {
        self.drifts.sort_by(|one, other| {
            other.severity.cmp(&one.severity).then_with(|| one.address.cmp(&other.address))
        });
        self.drifts.truncate(MAX_LISTED);
        if self.warnings.len() > MAX_LISTED {
            self.warnings.truncate(MAX_LISTED);
            self.warnings.push("there are more warnings than are listed".into());
        }
        if self.stacks.len() < 2 {
            self.stacks.clear();
        }
        self
    }
}
