//! One decision on all drifts that match a filter.

use std::collections::BTreeMap;

use contracts::drift::Status;
use serde::Serialize;
use utoipa::ToSchema;

use super::Action;
use super::decide::{Decision, audit_action, change, may_reopen};
use super::entity::{self, Model};
use super::events::announce;
use super::filter::Filter;
use crate::alert;
use crate::audit::{self, Record};
use crate::error::DriftError;
use crate::write::Write;

/// Maximum number of drifts that one decision covers.
pub(super) const MAX_DECIDED: u64 = 2_000;

/// The drifts that a decision covered, and those that it left out, counted.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Covered {
    /// Number of drifts that the decision covers.
    pub decided: u64,
    /// Numbers of matching drifts whose status does not allow the action, by status.
    pub left_out: BTreeMap<&'static str, u64>,
}

/// Decides on all drifts that match and whose status allows the action. `expected` is their number as the caller knows
/// it.
pub(super) async fn decide_all(
    write: &mut Write,
    filter: &Filter,
    decision: &Decision,
    expected: u64,
) -> Result<Covered, DriftError> {
    let by_status = entity::count_by_status(&write.tx, filter.condition()).await?;
    let mut covered = Covered::default();
    for (status, count) in by_status {
        if decision.action.follows(status).is_none() && count > 0 {
            covered.left_out.insert(status.into_str(), count);
        }
    }
    let from: Vec<Status> = statuses_before(decision.action);
    let drifts = entity::lock_matching(&write.tx, filter.condition(), &from, MAX_DECIDED + 1).await?;
    if drifts.len() as u64 != expected {
        return Err(DriftError::OtherNumber { expected, found: drifts.len() as u64 });
    }
    if decision.action == Action::Reopen && !drifts.iter().all(|drift| may_reopen(write, drift)) {
        return Err(DriftError::NotOwnDecision);
    }
    covered.decided = expected;
    let mut decided = Vec::with_capacity(drifts.len());
    let mut records = Vec::with_capacity(drifts.len());
    for drift in drifts {
        let Some(to) = decision.action.follows(drift.status) else { continue };
        let row = change(write, &drift, to, decision);
        entity::update_locked(&write.tx, drift.id, row, true, false).await?;
        records.push(Record {
            from: Some(drift.status.into_str()),
            to: Some(to.into_str()),
            reason: decision.reason.clone(),
            changed_fields: vec!["status"],
            ..Record::of_drift(drift.id, audit_action(decision.action))
        });
        decided.push(after(drift, to, write));
    }
    audit::record(&write.tx, &write.actor, write.at, records).await?;
    if decision.action == Action::Approve {
        let ids: Vec<_> = decided.iter().map(|drift| drift.id).collect();
        alert::close_of_drifts(&mut write.tx, &ids, &write.actor, write.at).await?;
    }
    for drift in &decided {
        announce(&mut write.tx, drift, decision.action);
    }
    Ok(covered)
}

/// The drift as its event describes it.
fn after(drift: Model, to: Status, write: &Write) -> Model {
    let (at, by) = (Some(write.at), Some(write.actor.user_id.clone()));
    let decided = Model { status: to, updated_at: write.at, ..drift };
    match to {
        Status::Approved => Model { approved_at: at, approved_by: by, ..decided },
        Status::Rejected => Model { rejected_at: at, rejected_by: by, ..decided },
        Status::Resolved => Model { resolved_at: at, resolved_by: by, ..decided },
        Status::Detected => decided,
    }
}

fn statuses_before(action: Action) -> Vec<Status> {
    use strum::IntoEnumIterator;

    Status::iter().filter(|status| action.follows(*status).is_some()).collect()
}
