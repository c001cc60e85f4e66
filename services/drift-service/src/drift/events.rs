//! The events about drifts.

use chrono::{DateTime, Utc};
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::drift::{DriftApproved, DriftRejected, DriftResolved, DriftSubject, DriftUpdated};
use database::Transaction;

use super::Action;
use super::content;
use super::entity::Model;
use super::live::Live;
use crate::money::Money;

/// Publishes the event of a decision.
pub(super) fn announce(tx: &mut Transaction, drift: &Model, action: Action) {
    let (id, status, account_id) = (drift.id, drift.status, drift.account_id.clone());
    let subject = subject(drift);
    match action {
        Action::Approve => tx.emit(DriftApproved {
            id,
            subject,
            status,
            approved_at: drift.approved_at.unwrap_or(drift.updated_at),
            approved_by: drift.approved_by.clone().unwrap_or_default(),
            account_id,
        }),
        Action::Reject => tx.emit(DriftRejected {
            id,
            subject,
            status,
            rejected_at: drift.rejected_at.unwrap_or(drift.updated_at),
            rejected_by: drift.rejected_by.clone().unwrap_or_default(),
            account_id,
        }),
        Action::Resolve => tx.emit(DriftResolved {
            id,
            subject,
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
        subject: subject(drift),
        status: drift.status,
        version: drift.version,
        cost_impact_monthly: Money { cents: drift.cost_cents }.to_f64(),
        region: content::known(&drift.region),
        account_id: drift.account_id.clone(),
    }
}

/// Builds the event of a drift that is resolved without a decision.
pub fn resolved(drift: &Model, how: ResolvedHow, at: DateTime<Utc>) -> DriftResolved {
    DriftResolved {
        id: drift.id,
        subject: subject(drift),
        status: Status::Resolved,
        resolved_at: at,
        resolved_how: how,
        account_id: drift.account_id.clone(),
    }
}

/// Builds the event of a live drift of `stack` that was resolved.
pub fn resolved_live(drift: Live, stack: &str, how: ResolvedHow, at: DateTime<Utc>) -> DriftResolved {
    let subject = subject_of_live(&drift, stack, drift.severity);
    DriftResolved {
        id: drift.id,
        subject,
        status: Status::Resolved,
        resolved_at: at,
        resolved_how: how,
        account_id: drift.account_id,
    }
}

pub(super) fn subject(drift: &Model) -> DriftSubject {
    DriftSubject {
        stack: drift.stack.clone(),
        address: drift.address.clone(),
        resource_id: drift.resource_id.clone(),
        resource_type: drift.resource_type.clone(),
        severity: drift.severity,
        fingerprint: drift.fingerprint.clone(),
    }
}

/// Describes a live drift of `stack` that has, from now on, this severity.
pub fn subject_of_live(drift: &Live, stack: &str, severity: Severity) -> DriftSubject {
    DriftSubject {
        stack: stack.into(),
        address: drift.address.clone(),
        resource_id: drift.resource_id.clone(),
        resource_type: drift.resource_type.clone(),
        severity,
        fingerprint: drift.fingerprint.clone(),
    }
}
