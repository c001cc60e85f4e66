use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use contracts::drift::Severity;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::trend::BySeverity;

/// The numbers of one month.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonthlyView {
    /// As `2026-11`.
    pub month: String,
    pub from: DateTime<Utc>,
    /// Exclusive. "At the end" means now if the month goes on.
    pub to: DateTime<Utc>,
    /// Drifts that were detected in the month, by severity.
    pub opened: BySeverity,
    /// The people and tokens with the most decisions, at most 100.
    pub decided: Vec<Decider>,
    pub time_to_decide: TimeToDecide,
    /// Drifts that were resolved in the month, by how.
    pub resolved: BTreeMap<&'static str, u64>,
    /// Approvals in force at the end, the newest first, at most 500.
    pub accepted: Vec<Accepted>,
    /// Number of approvals in force at the end.
    pub accepted_count: u64,
    /// Drifts without a decision at the end, by severity.
    pub open_at_end: BySeverity,
    /// The stacks with the most open drifts at the end, at most 50.
    pub stacks: Vec<StackMonth>,
    /// Number of stacks in which something happened, or was open.
    pub stack_count: u64,
}

/// The decisions of one person or token that were not withdrawn in the month.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decider {
    pub by: String,
    pub approved: u64,
    pub rejected: u64,
    /// Median hours from the first sighting to the decision.
    pub median_hours: Option<f64>,
}

/// The time from the first sighting of a drift to the decision.
#[derive(Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeToDecide {
    pub median_hours: Option<f64>,
    /// Nine of ten decisions took at most this long.
    pub p90_hours: Option<f64>,
    /// Number of decisions whose drift was not deleted.
    pub n: u64,
}

/// An approval in force at the end of the month.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    pub id: Uuid,
    pub address: String,
    pub stack: String,
    pub severity: Severity,
    pub approved_by: Option<String>,
    pub approved_at: DateTime<Utc>,
    pub approved_reason: Option<String>,
    /// The time at which the approval expires; `null` if it does not.
    pub until: Option<DateTime<Utc>>,
}

/// The month of one stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StackMonth {
    pub stack: String,
    pub opened: u64,
    pub resolved: u64,
    pub open_at_end: u64,
}
