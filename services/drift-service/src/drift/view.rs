use chrono::{DateTime, Utc};
use contracts::AccountId;
use contracts::drift::{Kind, ResolvedHow, Severity, Status};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Action;
use super::content;
use super::entity::Model;
use super::returns::Recurrence;
use crate::audience::Audience;
use crate::money::Money;

/// The part of a drift that the caller may see.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftView {
    pub id: Uuid,
    pub account_id: Option<AccountId>,
    pub stack: String,
    pub address: String,
    pub resource_id: String,
    pub resource_type: String,
    /// `null` if unknown.
    pub region: Option<String>,
    /// The provider's source address, such as `registry.terraform.io/hashicorp/aws`.
    pub provider: Option<String>,
    pub severity: Severity,
    pub kind: Kind,
    pub status: Status,
    /// The actions that the status allows. The role of the caller decides which of them are permitted.
    pub allowed: Vec<Action>,
    /// The cost of the real resource without that of the declared one; 0 if unknown.
    #[schema(value_type = f64)]
    pub cost_impact_monthly: Money,
    pub is_cost_known: bool,
    pub detected_at: DateTime<Utc>,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub occurrences: i32,
    pub approved_at: Option<DateTime<Utc>>,
    /// The time at which the approval expires; `null` if it lasts until the value changes.
    pub approved_until: Option<DateTime<Utc>>,
    pub rejected_at: Option<DateTime<Utc>>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolved_how: Option<ResolvedHow>,
    pub previous_drift_id: Option<Uuid>,
    /// The open drift is snoozed until then.
    pub snoozed_until: Option<DateTime<Utc>>,
    /// Number of returns after a scan had resolved the drift; from 3 on, it flaps.
    pub returns: i32,
    /// `null` if it never returned.
    pub recurrence: Option<Recurrence>,
    pub version: i32,
    #[serde(flatten)]
    pub accountability: Option<Accountability>,
    #[serde(flatten)]
    pub states: Option<States>,
}

/// Visible to viewers, engineers and admins.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accountability {
    pub approved_by: Option<String>,
    pub approved_reason: Option<String>,
    pub rejected_by: Option<String>,
    pub rejected_reason: Option<String>,
    pub resolved_by: Option<String>,
    /// The reason for the severity, in a few words.
    pub severity_reason: Option<String>,
    /// The id of the person who takes care of the drift.
    pub assignee_id: Option<String>,
    /// The page of a ticket.
    pub ticket_url: Option<String>,
    /// The changed paths, each `{path: [key or index, …], sensitive, change, class, reason?}`. `sensitive`:
    /// the states hide the values. `change`: `added`, `removed`, `changed` or `reordered`. `class`:
    /// `ignore`, `volatile`, `info`, `warning` or `critical`.
    #[schema(value_type = Vec<Object>)]
    pub difference: Box<RawValue>,
}

/// Visible to engineers and admins. Redacted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct States {
    #[schema(value_type = Option<Value>)]
    pub expected_state: Option<Box<RawValue>>,
    #[schema(value_type = Option<Value>)]
    pub actual_state: Option<Box<RawValue>>,
}

impl DriftView {
    pub fn new(drift: Model, audience: Audience) -> Self {
        Self {
            id: drift.id,
            account_id: drift.account_id,
            stack: drift.stack,
            address: drift.address,
            resource_id: drift.resource_id,
            resource_type: drift.resource_type,
            region: content::known(&drift.region),
            provider: content::known(&drift.provider),
            severity: drift.severity,
            kind: drift.kind,
            status: drift.status,
            allowed: Action::allowed_in(drift.status),
            cost_impact_monthly: Money { cents: drift.cost_cents },
            is_cost_known: drift.is_cost_known,
            detected_at: drift.detected_at,
            first_seen_at: drift.first_seen_at,
            last_seen_at: drift.last_seen_at,
            created_at: drift.created_at,
            updated_at: drift.updated_at,
            occurrences: drift.occurrences,
            approved_at: drift.approved_at,
            approved_until: drift.approved_until,
            rejected_at: drift.rejected_at,
            resolved_at: drift.resolved_at,
            resolved_how: drift.resolved_how,
            previous_drift_id: drift.previous_drift_id,
            snoozed_until: drift.snoozed_until,
            returns: drift.returns,
            recurrence: Recurrence::read(drift.return_times.as_deref()),
            version: drift.version,
            accountability: (audience >= Audience::Viewer).then(|| Accountability {
                approved_by: drift.approved_by,
                approved_reason: drift.approved_reason,
                rejected_by: drift.rejected_by,
                rejected_reason: drift.rejected_reason,
                resolved_by: drift.resolved_by,
                severity_reason: drift.severity_reason,
                assignee_id: drift.assignee_id,
                ticket_url: drift.ticket_url,
                difference: raw(drift.difference).unwrap_or_default(),
            }),
            states: (audience >= Audience::Engineer).then(|| States {
                expected_state: drift.expected_state.and_then(raw),
                actual_state: drift.actual_state.and_then(raw),
            }),
        }
    }
}

/// Passes on a column in which this service stored JSON.
fn raw(json: String) -> Option<Box<RawValue>> {
    RawValue::from_string(json).ok()
}
