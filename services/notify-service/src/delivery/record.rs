//! Stores the results of attempts, and what they tell about their destinations.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::notification::{DestinationFailing, DestinationRecovered};
use database::Transaction;
use sea_orm::ActiveValue::Set;
use sea_orm::DbErr;
use uuid::Uuid;

use super::attempt::Outcome;
use super::backoff::{FAILING_AFTER, pause};
use super::entity::{self as delivery, Model};
use super::failure::DeliveryFailure;
use crate::State;
use crate::destination::entity as destination;

/// The results of the deliveries of one destination.
pub(super) struct Done {
    pub destination: Uuid,
    pub deliveries: Vec<Model>,
    pub outcomes: Vec<Outcome>,
}

/// Stores results, ends the leases, and notes when the next deliveries are due.
pub(super) async fn record(state: &State, batch: &[Done]) -> Result<(), DbErr> {
    let now = state.platform.clock().now();
    let mut ids: Vec<Uuid> = batch.iter().map(|done| done.destination).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut tx = state.database.begin().await?;
    let destinations = destination::lock_all(&tx, &ids).await?;
    let destinations: HashMap<Uuid, destination::Model> =
        destinations.into_iter().map(|destination| (destination.id, destination)).collect();
    // Those of a destination that was deleted meanwhile are gone with it.
    let remaining = batch.iter().filter(|done| destinations.contains_key(&done.destination));
    let attempted: Vec<_> = remaining.flat_map(|done| done.deliveries.iter().cloned()).collect();
    delivery::store(&tx, attempted).await?;
    for done in batch {
        if let Some(destination) = destinations.get(&done.destination) {
            note_health(&mut tx, destination, done, now).await?;
        }
    }
    release(&tx, &ids, state.process).await?;
    tx.commit().await
}

async fn release(tx: &Transaction, ids: &[Uuid], process: Uuid) -> Result<(), DbErr> {
    let due: HashMap<Uuid, DateTime<Utc>> = delivery::next_due(tx, ids).await?.into_iter().collect();
    let idle: Vec<Uuid> = ids.iter().copied().filter(|id| !due.contains_key(id)).collect();
    destination::release(tx, &idle, process, None).await?;
    for (id, at) in due {
        destination::release(tx, &[id], process, Some(at)).await?;
    }
    Ok(())
}

/// Notes failures and successes. A destination that fails again and again gets pauses, and an event tells it.
async fn note_health(
    tx: &mut Transaction,
    destination: &destination::Model,
    done: &Done,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let failures: Vec<&DeliveryFailure> =
        done.outcomes.iter().filter_map(|outcome| outcome.failure.as_ref()).collect();
    let Some(last) = failures.last() else {
        return if done.outcomes.is_empty() { Ok(()) } else { note_success(tx, destination).await };
    };
    let has_success = failures.len() < done.outcomes.len();
    let asked = failures.iter().filter_map(|failure| failure.retry_after).max();
    let before = if has_success { 0 } else { destination.failures };
    let count = before.saturating_add(i32::try_from(failures.len()).unwrap_or(i32::MAX));
    let pause = if count >= FAILING_AFTER { pause(count) } else { TimeDelta::zero() };
    let pause = pause.max(asked.unwrap_or_default());
    let since = destination.failing_since.filter(|_| before > 0).unwrap_or(now);
    let is_gone = failures.iter().any(|failure| failure.is_gone);
    let change = destination::ActiveModel {
        failures: Set(count),
        failing_since: Set(Some(since)),
        last_failure: Set(Some(last.kind.clone())),
        blocked_until: Set((pause > TimeDelta::zero()).then(|| now + pause)),
        is_enabled: Set(destination.is_enabled && !is_gone),
        ..Default::default()
    };
    destination::update(tx, destination.id, change).await?;
    if is_gone || (before < FAILING_AFTER && count >= FAILING_AFTER) {
        let (id, name) = (destination.id, destination.name.clone());
        tracing::warn!(destination = %id, failure = last.kind, "deliveries to a destination fail");
        tx.emit(DestinationFailing { id, name, failure: last.kind.clone(), since });
    }
    Ok(())
}

async fn note_success(tx: &mut Transaction, destination: &destination::Model) -> Result<(), DbErr> {
    if destination.failures == 0 {
        return Ok(());
    }
    destination::update(tx, destination.id, destination::healthy()).await?;
    if destination.failures >= FAILING_AFTER {
        let (id, name) = (destination.id, destination.name.clone());
        tracing::info!(destination = %id, "deliveries to a destination succeed again");
        tx.emit(DestinationRecovered { id, name });
    }
    Ok(())
}
