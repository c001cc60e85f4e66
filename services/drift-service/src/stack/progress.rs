//! The changes that an upload makes to its stack.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::stack::StackUpdated;
use contracts::scan::Completeness;
use database::Transaction;
use sea_orm::ActiveValue::Set;
use sea_orm::DbErr;
use uuid::Uuid;

use super::entity::{self, ActiveModel, Model, NO_SCAN};
use super::{cadence, scope};
use crate::actor::Actor;
use crate::{alert, drift, scans};

/// An upload that arrived for a stack.
pub struct Received<'a> {
    pub scan_id: Uuid,
    pub account_id: &'a str,
    /// The time at which the scanner ran; `None` if the upload was refused.
    pub taken_at: Option<DateTime<Utc>>,
    pub completeness: Completeness,
    /// The reason why it does not show all drifts.
    pub reason: Option<&'a str>,
}

/// Records an upload for a locked stack, after its drifts and its own row are written.
///
/// # Errors
/// If the database fails.
pub async fn note_upload(
    tx: &mut Transaction,
    stack: &Model,
    received: Received<'_>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut own = scope::find_or_create(tx, &stack.name, received.account_id).await?;
    own.last_received_at = Some(now);
    own.blind_reason = received.reason.map(Into::into);
    if received.completeness != Completeness::Failed {
        own.last_scan_id = Some(received.scan_id);
        own.last_scan_at = received.taken_at;
    }
    if received.completeness == Completeness::Complete {
        own.last_complete_at = received.taken_at;
    }
    let arrivals = scans::entity::arrivals(tx, &stack.name, received.account_id, cadence::ARRIVALS).await?;
    own.learned_seconds = cadence::learn(&arrivals).map(|cadence| cadence.num_seconds());
    scope::store(tx, own).await?;
    settle(tx, stack, actor, now).await
}

/// Derives the state of a locked stack from its scopes and its cadence. If nothing is overdue any more, closes the alert
/// about its silence.
///
/// # Errors
/// If the database fails.
pub(super) async fn settle(
    tx: &mut Transaction,
    stack: &Model,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let scopes = scope::of_stack(tx, &stack.name).await?;
    let blind_reason = match scopes.as_slice() {
        [] => stack.blind_reason.clone().or_else(|| Some(NO_SCAN.into())),
        scopes => scopes.iter().find_map(|scope| scope.blind_reason.clone()),
    };
    let due_at = scopes.iter().filter_map(|scope| due_at(scope, stack.cadence_seconds)).min();
    let silent_since = stack.silent_since.filter(|_| due_at.is_some_and(|due| due < now));
    if stack.silent_since.is_some() && silent_since.is_none() {
        alert::close_silence(tx, &stack.name, actor, now).await?;
    }
    let state = Model { blind_reason, due_at, silent_since, ..stack.clone() };
    let change = ActiveModel {
        blind_reason: Set(state.blind_reason.clone()),
        due_at: Set(due_at),
        silent_since: Set(silent_since),
        ..Default::default()
    };
    entity::update(tx, stack.id, change).await?;
    let open = drift::stack_counts::count_open(tx, &stack.name).await?;
    tx.emit(StackUpdated { id: stack.id, stack: stack.name.clone(), status: state.status(open) });
    Ok(())
}

/// The cadence of a scope, in seconds: the one that a person has set, or else the learned one.
pub(super) fn cadence_of(scope: &scope::Model, set: Option<i64>) -> Option<i64> {
    set.or(scope.learned_seconds)
}

fn due_at(scope: &scope::Model, set: Option<i64>) -> Option<DateTime<Utc>> {
    let cadence = TimeDelta::try_seconds(cadence_of(scope, set)?)?;
    Some(cadence::due_at(scope.last_received_at?, cadence))
}
