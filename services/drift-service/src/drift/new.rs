//! A drift that is not stored yet.

use chrono::{DateTime, Utc};
use contracts::drift::{Severity, Status};
use contracts::events::drift::DriftCreated;
use database::Transaction;
use scan::Finding;
use uuid::Uuid;

use super::content;
use super::entity::Model;
use super::events::subject;
use super::live::Predecessor;
use super::returns;
use crate::money::Money;

pub struct NewDrift {
    pub finding: Finding,
    pub fingerprint: String,
    pub stack: String,
    /// `None` if unknown.
    pub cost: Option<Money>,
    pub previous_drift_id: Option<Uuid>,
    /// The last drift of the resource.
    pub predecessor: Option<Predecessor>,
    pub detected_at: DateTime<Utc>,
}

impl NewDrift {
    pub fn into_row(self, now: DateTime<Utc>) -> Model {
        let finding = self.finding;
        let severity: Severity = finding.severity;
        let return_times =
            self.predecessor.as_ref().map(|last| returns::after(last, now)).unwrap_or_default();
        let (assignee_id, ticket_url) =
            self.predecessor.map(|last| (last.assignee_id, last.ticket_url)).unwrap_or_default();
        Model {
            id: Uuid::now_v7(),
            search_text: content::search_text(&finding),
            search_paths: content::search_paths(&finding.difference),
            account_id: finding.account_id,
            stack: self.stack,
            address: finding.address,
            resource_id: finding.resource_id,
            resource_type: finding.resource_type,
            region: finding.region.unwrap_or_default(),
            provider: finding.provider.unwrap_or_default(),
            provider_config: finding.provider_config.unwrap_or_default(),
            severity,
            severity_rank: severity.rank(),
            severity_reason: finding.reason.map(Into::into),
            is_severity_manual: false,
            kind: finding.kind,
            status: Status::Detected,
            expected_state: finding.expected_state,
            actual_state: finding.actual_state,
            difference: finding.difference,
            cost_cents: self.cost.unwrap_or_default().cents,
            is_cost_known: self.cost.is_some(),
            detected_at: self.detected_at,
            first_seen_at: self.detected_at,
            last_seen_at: self.detected_at,
            created_at: now,
            updated_at: now,
            occurrences: 1,
            approved_at: None,
            approved_by: None,
            approved_reason: None,
            approved_until: None,
            rejected_at: None,
            rejected_by: None,
            rejected_reason: None,
            decision_seconds: None,
            resolved_at: None,
            resolved_by: None,
            resolved_how: None,
            previous_drift_id: self.previous_drift_id,
            returns: returns::count(&return_times),
            return_times: returns::write(&return_times),
            assignee_id,
            ticket_url,
            snoozed_until: None,
            fingerprint: self.fingerprint,
            actual_hash: finding.actual_hash,
            shown_hash: Some(finding.shown_hash),
            decidable: Some(content::write_hashes(&finding.decidable)),
            version: 1,
        }
    }
}

/// Emits the event of a drift that this transaction inserts.
pub fn announce_new(tx: &mut Transaction, drift: &Model) {
    tx.emit(DriftCreated {
        id: drift.id,
        subject: subject(drift),
        region: content::known(&drift.region),
        cost_impact_monthly: Money { cents: drift.cost_cents }.to_f64(),
        detected_at: drift.detected_at,
        status: drift.status,
        version: drift.version,
        account_id: drift.account_id.clone(),
    });
}
