//! Decisions of people, checked by the status machine.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Role;
use contracts::drift::{ResolvedHow, Status};
use sea_orm::ActiveValue::Set;
use sea_orm::DbErr;

use super::entity::{self, ActiveModel, Model};
use super::events::announce;
use super::{Action, watcher};
use crate::alert;
use crate::audit::{self, AuditAction, Record};
use crate::error::DriftError;
use crate::write::Write;

/// The time in which a person may withdraw their own decision. An admin may withdraw any decision at any time.
const UNDO_WITHIN: TimeDelta = TimeDelta::minutes(1);

#[derive(Clone, Debug)]
pub struct Decision {
    pub action: Action,
    pub reason: Option<String>,
    /// The time at which an approval expires.
    pub until: Option<DateTime<Utc>>,
    /// The version that the decision was made on, if the caller sent one.
    pub if_match: Option<i32>,
}

/// Decides on a drift. A conditional UPDATE makes one of several concurrent decisions the first. Each other
/// one is then checked against the new status and version, and gets an error if they do not allow it.
pub(super) async fn decide(
    write: &mut Write,
    mut drift: Model,
    decision: &Decision,
) -> Result<Model, DriftError> {
    loop {
        if decision.if_match.is_some_and(|version| version != drift.version) {
            return Err(DriftError::Changed { current: drift.version });
        }
        let Some(to) = decision.action.follows(drift.status) else {
            return Err(DriftError::NotAllowed { status: drift.status, action: decision.action });
        };
        let is_reopened = decision.action == Action::Reopen;
        if is_reopened && !may_reopen(write, &drift) {
            return Err(DriftError::NotOwnDecision);
        }
        let change = change(write, &drift, to, decision);
        // A decision of another person that came in between has another version.
        let expected = decision.if_match.or_else(|| is_reopened.then_some(drift.version));
        let won = entity::update_if(&write.tx, drift.id, drift.status, expected, change).await?;
        let from = drift.status;
        drift = entity::by_id(&write.tx, drift.id).await?.ok_or(DriftError::NotFound("drift"))?;
        if won {
            follow_up(write, &drift, from, decision).await?;
            return Ok(drift);
        }
    }
}

pub(super) fn may_reopen(write: &Write, drift: &Model) -> bool {
    let (by, at) = match drift.status {
        Status::Approved => (&drift.approved_by, drift.approved_at),
        Status::Rejected => (&drift.rejected_by, drift.rejected_at),
        Status::Detected | Status::Resolved => (&None, None),
    };
    let is_own = by.as_ref() == Some(&write.actor.user_id);
    write.actor.role >= Role::Admin || is_own && at.is_some_and(|at| write.at - at <= UNDO_WITHIN)
}

pub(super) fn change(write: &Write, drift: &Model, to: Status, decision: &Decision) -> ActiveModel {
    let (at, by) = (Some(write.at), Some(write.actor.user_id.clone()));
    let waited = Some((write.at - drift.first_seen_at).num_seconds());
    let decided = ActiveModel {
        status: Set(to),
        approved_until: Set(decision.until),
        snoozed_until: Set(None),
        updated_at: Set(write.at),
        ..ActiveModel::default()
    };
    match decision.action {
        Action::Approve => ActiveModel {
            approved_at: Set(at),
            approved_by: Set(by),
            approved_reason: Set(decision.reason.clone()),
            decision_seconds: Set(waited),
            ..decided
        },
        Action::Reject => ActiveModel {
            rejected_at: Set(at),
            rejected_by: Set(by),
            rejected_reason: Set(decision.reason.clone()),
            decision_seconds: Set(waited),
            ..decided
        },
        Action::Resolve => ActiveModel {
            resolved_at: Set(at),
            resolved_by: Set(by),
            resolved_how: Set(Some(ResolvedHow::Manual)),
            ..decided
        },
        Action::Reopen => ActiveModel { status: Set(to), updated_at: Set(write.at), ..undecided() },
    }
}

/// The columns of a drift without a decision. The earlier decision remains in the audit log.
pub(super) fn undecided() -> ActiveModel {
    ActiveModel {
        approved_at: Set(None),
        approved_by: Set(None),
        approved_reason: Set(None),
        approved_until: Set(None),
        rejected_at: Set(None),
        rejected_by: Set(None),
        rejected_reason: Set(None),
        decision_seconds: Set(None),
        ..ActiveModel::default()
    }
}

async fn follow_up(write: &mut Write, drift: &Model, from: Status, decision: &Decision) -> Result<(), DbErr> {
    if decision.action == Action::Approve {
        alert::close_of_drift(&mut write.tx, drift.id, &write.actor, write.at).await?;
    }
    let record = Record {
        from: Some(from.into_str()),
        to: Some(drift.status.into_str()),
        reason: decision.reason.clone(),
        changed_fields: vec!["status"],
        ..Record::of_drift(drift.id, audit_action(decision.action))
    };
    audit::record(&write.tx, &write.actor, write.at, vec![record]).await?;
    watcher::add_person(&write.tx, &[drift.id], &write.actor.user_id, write.at).await?;
    announce(&mut write.tx, drift, decision.action);
    Ok(())
}

pub(super) const fn audit_action(action: Action) -> AuditAction {
    match action {
        Action::Approve => AuditAction::DriftApprove,
        Action::Reject => AuditAction::DriftReject,
        Action::Resolve => AuditAction::DriftResolve,
        Action::Reopen => AuditAction::DriftReopen,
    }
}
