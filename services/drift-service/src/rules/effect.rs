//! The effect that other rules have on stored drifts.

use contracts::drift::{Kind, Severity, Status};
use scan::rerate::Rerated;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::drift::entity::Model;

const MAX_EXAMPLES: usize = 5;

/// The numbers of drifts that rules change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Drifts that the rules were applied to. Of a single rule: drifts on which it decides.
    pub considered: u64,
    /// Drifts that would be ignored.
    pub silenced: u64,
    /// Silenced drifts that are live. Saving the rules resolves them.
    pub silenced_now: u64,
    /// Silenced drifts whose resource is missing.
    pub deleted_resources: u64,
    /// Drifts that would be less severe.
    pub quieter: u64,
    /// Drifts that would be more severe.
    pub louder: u64,
    /// Drifts that the rules in force ignore, and that would not be ignored.
    pub shown_again: u64,
    /// Drifts that would no longer raise an alert.
    pub alerts_less: u64,
    /// Drifts that would newly raise an alert.
    pub alerts_more: u64,
    /// Drifts that the rules change, at most 5.
    pub examples: Vec<Example>,
}

/// A drift that the rules change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Example {
    pub id: Uuid,
    pub address: String,
    pub stack: String,
}

/// A rating of a drift, and whether it raises an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loudness {
    pub is_ignored: bool,
    pub severity: Severity,
    pub raises_alert: bool,
}

impl Loudness {
    /// The rating of a live drift as it is stored.
    pub(super) fn stored(row: &Model, threshold: Severity) -> Self {
        Self { is_ignored: false, severity: row.severity, raises_alert: row.severity >= threshold }
    }

    pub(super) fn rated(row: &Model, rerated: &Rerated, threshold: Severity) -> Self {
        let severity = if row.is_severity_manual { row.severity } else { rerated.severity };
        let is_ignored = rerated.is_ignored;
        Self { is_ignored, severity, raises_alert: !is_ignored && severity >= threshold }
    }
}

impl Effect {
    /// Adds a drift.
    pub(super) fn add(&mut self, row: &Model, before: Loudness, after: Loudness) {
        let is_silenced = after.is_ignored && !before.is_ignored;
        let stays = !after.is_ignored && !before.is_ignored;
        let is_live = row.status != Status::Resolved;
        self.considered += 1;
        self.silenced += u64::from(is_silenced);
        self.silenced_now += u64::from(is_silenced && is_live);
        self.deleted_resources += u64::from(is_silenced && row.kind == Kind::Missing);
        self.quieter += u64::from(stays && after.severity < before.severity);
        self.louder += u64::from(stays && after.severity > before.severity);
        self.shown_again += u64::from(before.is_ignored && !after.is_ignored);
        self.alerts_less += u64::from(before.raises_alert && !after.raises_alert);
        self.alerts_more += u64::from(!before.raises_alert && after.raises_alert);
        if before != after && self.examples.len() < MAX_EXAMPLES {
            let (address, stack) = (row.address.clone(), row.stack.clone());
            self.examples.push(Example { id: row.id, address, stack });
        }
    }
}
