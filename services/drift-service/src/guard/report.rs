use chrono::{DateTime, Utc};
use contracts::drift::{Severity, Status};
use scan::PlannedAction;
use scan::path::Step;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Maximum number of drifts in each list of a report.
const MAX_LISTED: usize = 200;
/// Maximum number of paths that are listed of one drift.
const MAX_PATHS: usize = 50;

/// The effect of a plan on the live drifts of its stack.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuardReport {
    pub stack: String,
    pub verdict: Verdict,
    /// Approved drifts that the plan undoes, most severe first, at most 200.
    pub undoes: Vec<GuardedDrift>,
    /// Drifts that nobody has decided on and whose resources the plan changes, and approved drifts whose values have
    /// changed since; at most 200.
    pub touches: Vec<GuardedDrift>,
    /// Rejected drifts that the plan removes, at most 200.
    pub repairs: Vec<GuardedDrift>,
    pub warnings: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The plan undoes no approved drift and touches no undecided one.
    Clear,
    /// The plan touches an undecided drift, or an entry of the plan cannot be read.
    Review,
    /// The plan undoes an approved drift.
    Stop,
}

/// A live drift of a resource that the plan changes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuardedDrift {
    pub id: Uuid,
    pub address: String,
    pub status: Status,
    pub severity: Severity,
    pub action: GuardedAction,
    /// The drifting paths that the plan changes, each `[key or index, …]`, at most 50. Empty if the plan changes other
    /// paths of the resource, or the resource as a whole.
    #[schema(value_type = Vec<Object>)]
    pub paths: Vec<Vec<Step>>,
    /// The user who approved or rejected the drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The action of the plan on the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardedAction {
    Create,
    Update,
    Replace,
    Delete,
}

impl From<PlannedAction> for GuardedAction {
    fn from(action: PlannedAction) -> Self {
        match action {
            PlannedAction::Create => Self::Create,
            PlannedAction::Update => Self::Update,
            PlannedAction::Replace => Self::Replace,
            PlannedAction::Delete => Self::Delete,
        }
    }
}

impl GuardReport {
    pub(super) fn new(stack: String, warnings: Vec<String>) -> Self {
        let (undoes, touches, repairs) = (Vec::new(), Vec::new(), Vec::new());
        Self { stack, verdict: Verdict::Clear, undoes, touches, repairs, warnings }
    }

    /// Determines the verdict, sorts the most severe drifts first, and cuts the lists.
    pub(super) fn finish(mut self, has_unread_entries: bool) -> Self {
        self.verdict = match (self.undoes.is_empty(), self.touches.is_empty() && !has_unread_entries) {
            (false, _) => Verdict::Stop,
            (true, false) => Verdict::Review,
            (true, true) => Verdict::Clear,
        };
        for list in [&mut self.undoes, &mut self.touches, &mut self.repairs] {
            list.sort_by(|one, other| {
                other.severity.cmp(&one.severity).then_with(|| one.address.cmp(&other.address))
            });
            if list.len() > MAX_LISTED {
                self.warnings.push(format!("{MAX_LISTED} of {} drifts are listed", list.len()));
                list.truncate(MAX_LISTED);
            }
            list.iter_mut().for_each(|drift| drift.paths.truncate(MAX_PATHS));
        }
        self
    }
}
