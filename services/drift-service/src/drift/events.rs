//! The events about drifts.

use chrono::{DateTime, Utc};
use contracts::drift::{ResolvedHow, Status};
use contracts::events::drift::{DriftApproved, DriftRejected, DriftResolved, DriftUpdated};
use database::Transaction;

use super::Action;
use super::content;
use super::entity::Model;
use crate::money::Money;

/// Publishes the event of a decision.
pub(super) fn announce(tx: &mut Transaction, drift: &Model, action: Action) {
    let (id, status, account_id) = (drift.id, drift.status, drift.account_id.clone());
    match action {
        Action::Approve => tx.emit(DriftApproved {
            id,
            status,
            approved_at: drift.approved_at.unwrap_or(drift.updated_at),
            approved_by: drift.approved_by.clone().unwrap_or_default(),
            account_id,
        }),
        Action::Reject => tx.emit(DriftRejected {
            id,
            status,
            rejected_at: drift.rejected_at.unwrap_or(drift.updated_at),
            rejected_by: drift.rejected_by.clone().unwrap_or_default(),
            account_id,
        }),
        Action::Resolve => tx.emit(DriftResolved {
            id,
            status,
            resolved_at: drift.resolved_at.unwrap_or(drift.updated_at),
            resolved_how: ResolvedHow::Manual,
            account_id,
        }),
        Action::Reopen => tx.emit(updated(drift)),
    }
}

/// Builds the event of a drift that changed in place.
pub fn updated(drift: &Model) -> DriftUpdated {
    DriftUpdated {
        id: drift.id,
        status: drift.status,
        severity: drift.severity,
        cost_impact_monthly: Money { cents: drift.cost_cents }.to_f64(),
        region: content::known(&drift.region),
        account_id: drift.account_id.clone(),
    }
}

/// Builds the event of a drift that is resolved without a person.
pub fn resolved(drift: &Model, how: ResolvedHow, at: DateTime<Utc>) -> DriftResolved {
    DriftResolved {
        id: drift.id,
        status: Status::Resolved,
        resolved_at: at,
        resolved_how: how,
        account_id: drift.account_id.clone(),
    }
}
