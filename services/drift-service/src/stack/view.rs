use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use contracts::AccountId;
use contracts::drift::{Severity, Status};
use contracts::scan::{Completeness, StackStatus};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::badge_key;
use super::entity::Model;
use super::progress::cadence_of;
use super::scope;
use crate::audience::Audience;
use crate::drift::stack_counts::{StackGroup, of_stacks};
use crate::scans::{self, ScanView};
use crate::state::State;

/// A stack, and how much is known about it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StackView {
    pub id: Uuid,
    pub name: String,
    pub status: StackStatus,
    /// The reason why there may be unknown drifts.
    pub blind_reason: Option<String>,
    /// The time at which the overdue scan was reported.
    pub silent_since: Option<DateTime<Utc>>,
    /// The time since which no drift has needed attention; `null` unless the status is `clean`.
    pub clean_since: Option<DateTime<Utc>>,
    /// The time of the last scan that covered the whole stack: everything shown here was true then.
    pub known_at: Option<DateTime<Utc>>,
    /// The interval between scans in seconds; `null` while unknown.
    pub cadence_seconds: Option<i64>,
    /// `true` if a person has set the cadence, `false` if it is learned from the scans.
    pub is_cadence_set: bool,
    /// The time after which the next scan is overdue.
    pub due_at: Option<DateTime<Utc>>,
    /// The numbers of its drifts that are not resolved.
    pub detected: u64,
    pub approved: u64,
    pub rejected: u64,
    /// The drifts that need attention, by severity: undecided ones, and rejected ones that are still there.
    pub open_by_severity: BTreeMap<&'static str, u64>,
    /// First-seen time of the oldest drift that needs attention.
    pub oldest_open_at: Option<DateTime<Utc>>,
    /// The last stored scan.
    pub last_scan: Option<ScanView>,
    /// The accounts that the scans name. A stack is overdue or blind if one of them is.
    pub scopes: Vec<ScopeView>,
    #[serde(flatten)]
    pub details: Option<StackDetails>,
}

/// The part of a stack whose scans name the same account, or none.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScopeView {
    pub account_id: Option<AccountId>,
    pub last_scan_at: Option<DateTime<Utc>>,
    pub last_received_at: Option<DateTime<Utc>>,
    pub last_complete_at: Option<DateTime<Utc>>,
    pub cadence_seconds: Option<i64>,
    pub blind_reason: Option<String>,
}

/// Visible to viewers, engineers and admins.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StackDetails {
    /// The person or team that answers for the stack.
    pub owner: Option<String>,
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Box<RawValue>,
    /// The path of the badge, with the key that makes it readable without an account.
    pub badge_path: String,
}

/// The numbers of a stack's drifts.
#[derive(Clone, Debug, Default)]
pub(super) struct StackCounts {
    detected: u64,
    approved: u64,
    rejected: u64,
    by_severity: BTreeMap<&'static str, u64>,
    oldest_open_at: Option<DateTime<Utc>>,
    last_settled_at: Option<DateTime<Utc>>,
}

impl StackCounts {
    fn add(&mut self, group: &StackGroup) {
        let drifts = group.drifts.unsigned_abs();
        match group.status {
            Status::Detected => self.detected += drifts,
            Status::Approved => self.approved += drifts,
            Status::Rejected => self.rejected += drifts,
            Status::Resolved => {}
        }
        if matches!(group.status, Status::Detected | Status::Rejected) {
            *self.by_severity.entry(group.severity.into_str()).or_default() += drifts;
            self.oldest_open_at = [self.oldest_open_at, Some(group.first_seen)].into_iter().flatten().min();
        }
        let settled = match group.status {
            Status::Resolved => group.last_resolved,
            _ => group.last_approved,
        };
        self.last_settled_at = self.last_settled_at.max(settled);
    }

    /// The number of drifts that need attention.
    pub(super) const fn open(&self) -> u64 {
        self.detected + self.rejected
    }

    /// Counts the drifts of these stacks, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn of(
        db: &impl ConnectionTrait,
        stacks: &[&str],
    ) -> Result<HashMap<String, Self>, DbErr> {
        let mut counts: HashMap<String, Self> = HashMap::new();
        for group in of_stacks(db, stacks).await? {
            counts.entry(group.stack.clone()).or_default().add(&group);
        }
        Ok(counts)
    }
}

/// Converts stacks into views.
pub(super) async fn views(
    state: &State,
    db: &impl ConnectionTrait,
    stacks: Vec<Model>,
    audience: Audience,
) -> Result<Vec<StackView>, DbErr> {
    let names: Vec<&str> = stacks.iter().map(|stack| stack.name.as_str()).collect();
    let mut counts = StackCounts::of(db, &names).await?;
    let mut scopes: HashMap<String, Vec<scope::Model>> = HashMap::new();
    for scope in scope::of_stacks(db, &names).await? {
        scopes.entry(scope.stack.clone()).or_default().push(scope);
    }
    let last_ids: Vec<Uuid> = scopes.values().filter_map(|scopes| last(scopes)?.last_scan_id).collect();
    let mut last_scans: HashMap<Uuid, scans::entity::Model> =
        scans::entity::by_ids(db, &last_ids).await?.into_iter().map(|scan| (scan.id, scan)).collect();
    let view = |stack: Model| {
        let counts = counts.remove(&stack.name).unwrap_or_default();
        let scopes = scopes.remove(&stack.name).unwrap_or_default();
        let last_scan = last(&scopes).and_then(|scope| last_scans.remove(&scope.last_scan_id?));
        let badge_path = badge_key::path(&state.state_key, &stack.name);
        StackView::new(stack, counts, scopes, last_scan, badge_path, audience)
    };
    Ok(stacks.into_iter().map(view).collect())
}

/// The scope whose scan arrived last.
fn last(scopes: &[scope::Model]) -> Option<&scope::Model> {
    scopes.iter().filter(|scope| scope.last_scan_id.is_some()).max_by_key(|scope| scope.last_received_at)
}

impl StackView {
    fn new(
        stack: Model,
        counts: StackCounts,
        scopes: Vec<scope::Model>,
        last_scan: Option<scans::entity::Model>,
        badge_path: String,
        audience: Audience,
    ) -> Self {
        let status = stack.status(counts.open());
        let is_complete = last_scan.as_ref().is_some_and(|scan| scan.completeness == Completeness::Complete);
        let known = scopes.iter().map(|scope| scope.last_complete_at).min().flatten();
        // Before the first drift was settled, the stack is clean since the first complete scan that is known.
        let clean_since = counts.last_settled_at.or(known).filter(|_| is_complete);
        let cadence = scopes.iter().filter_map(|scope| cadence_of(scope, stack.cadence_seconds)).min();
        Self {
            id: stack.id,
            name: stack.name,
            status,
            blind_reason: stack.blind_reason,
            silent_since: stack.silent_since,
            clean_since: clean_since.filter(|_| status == StackStatus::Clean),
            known_at: known,
            cadence_seconds: cadence.or(stack.cadence_seconds),
            is_cadence_set: stack.cadence_seconds.is_some(),
            due_at: stack.due_at,
            detected: counts.detected,
            approved: counts.approved,
            rejected: counts.rejected,
            open_by_severity: [Severity::Critical, Severity::Warning, Severity::Info]
                .map(|severity| severity.into_str())
                .map(|severity| (severity, counts.by_severity.get(severity).copied().unwrap_or_default()))
                .into(),
            oldest_open_at: counts.oldest_open_at,
            last_scan: last_scan.map(|scan| ScanView::new(scan, audience)),
            scopes: scopes.into_iter().map(|scope| ScopeView::new(scope, stack.cadence_seconds)).collect(),
            details: (audience >= Audience::Viewer).then(|| StackDetails {
                owner: stack.owner,
                labels: RawValue::from_string(stack.labels).unwrap_or_default(),
                badge_path,
            }),
        }
    }
}

impl ScopeView {
    fn new(scope: scope::Model, set: Option<i64>) -> Self {
        let cadence_seconds = cadence_of(&scope, set);
        Self {
            account_id: (!scope.account_id.is_empty()).then(|| scope.account_id.into()),
            last_scan_at: scope.last_scan_at,
            last_received_at: scope.last_received_at,
            last_complete_at: scope.last_complete_at,
            cadence_seconds,
            blind_reason: scope.blind_reason,
        }
    }
}
