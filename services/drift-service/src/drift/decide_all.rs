//! One decision on all drifts that match a filter.

use std::collections::BTreeMap;

use contracts::drift::Status;
use serde::Serialize;
use utoipa::ToSchema;

use super::decide::{Decision, audit_action, change, may_reopen};
use super::events::announce;
use super::filter::Filter;
use super::{Action, watcher};
use super::{entity, matching};
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
    let by_status = matching::count_by_status(&write.tx, filter.condition()).await?;
    let (allowed, others): (Vec<_>, Vec<_>) =
        by_status.into_iter().partition(|(status, _)| decision.action.follows(*status).is_some());
    let require = |found: u64| match found {
        found if found == expected => Ok(()),
        found => Err(DriftError::OtherNumber { expected, found }),
    };
    require(allowed.iter().map(|(_, count)| count).sum())?;
    let from: Vec<Status> = allowed.into_iter().map(|(status, _)| status).collect();
    let drifts = matching::lock_matching(&write.tx, filter.condition(), &from, MAX_DECIDED + 1).await?;
    // The number may have changed before the locks were granted.
    require(drifts.len() as u64)?;
    if decision.action == Action::Reopen && !drifts.iter().all(|drift| may_reopen(write, drift)) {
        return Err(DriftError::NotOwnDecision);
    }
    let ids: Vec<_> = drifts.iter().map(|drift| drift.id).collect();
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
    }
    audit::record(&write.tx, &write.actor, write.at, records).await?;
    if decision.action == Action::Approve {
        alert::close_of_drifts(&mut write.tx, &ids, &write.actor, write.at).await?;
    }
    watcher::add_person(&write.tx, &ids, &write.actor.user_id, write.at).await?;
    for drift in entity::by_ids(&write.tx, &ids).await? {
        announce(&mut write.tx, &drift, decision.action);
    }
    let left_out = others.into_iter().map(|(status, count)| (status.into_str(), count)).collect();
    Ok(Covered { decided: expected, left_out })
}
