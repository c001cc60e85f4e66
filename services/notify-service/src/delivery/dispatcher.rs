//! Leases destinations with due deliveries, and attempts these. Any number of replicas may run this: a destination
//! belongs to one process at a time, so that its deliveries keep their order.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use chrono::TimeDelta;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender, channel, unbounded_channel};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::attempt::{Outcome, note, note_received, send};
use super::entity::{self as delivery, Model};
use super::receipt::{ANSWERED_WITHIN, was_received};
use super::record::{Done, record};
use crate::State;
use crate::destination::entity as destination;
use crate::destination::target::Target;
use crate::event::Event;
use crate::intake::entity as event;

/// Interval between searches for due deliveries of which this process was not told.
const INTERVAL: Duration = Duration::from_millis(500);
/// Number of destinations that are leased at once.
const LEASES: u64 = 200;
/// Number of deliveries for which a destination is leased, each about another subject.
const BATCH: u64 = 128;
/// Number of deliveries that a destination receives at the same time.
const AT_ONCE: usize = 16;
/// Number of events in one digest.
const IN_DIGEST: u64 = 500;
/// The duration of a lease, in longest attempts, besides the time for a receipt. A process that dies keeps its
/// destinations for this time.
const LEASE_ATTEMPTS: u32 = 2;
/// Number of destinations whose results are stored at once.
const RECORDED: usize = 200;
/// Time for attempts that are under way when the process stops.
const GRACE: Duration = Duration::from_secs(3);
/// Pause after an error of the database.
const RETRY: Duration = Duration::from_secs(1);

/// The destinations whose attempts, or results, are still in this process. Their leases may end meanwhile.
type InHand = Mutex<HashSet<Uuid>>;

fn locked(in_hand: &InHand) -> MutexGuard<'_, HashSet<Uuid>> {
    in_hand.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delivers until `stop`.
pub async fn run(state: &State, stop: CancellationToken) {
    let (leased, mut lanes) = channel(LEASES as usize);
    // At most one result for each leased destination. Waiting here for room would stop all attempts, also those that have
    // a connection to the database for which the recording waits.
    let (done, mut results) = unbounded_channel();
    let in_hand = InHand::default();
    let leasing = lease(state, leased, &in_hand, stop.clone());
    let delivering = deliver(state, &mut lanes, done, stop);
    let recording = async {
        let mut batch = Vec::new();
        while results.recv_many(&mut batch, RECORDED).await > 0 {
            let ids: Vec<Uuid> = batch.iter().map(|done| done.destination).collect();
            store(state, std::mem::take(&mut batch)).await;
            locked(&in_hand).retain(|id| !ids.contains(id));
            state.dispatch.notify_one();
        }
    };
    tokio::join!(leasing, delivering, recording);
}

/// Inputs: a commit in this process, the interval, and `stop`, which ends it.
async fn lease(state: &State, leased: Sender<destination::Model>, in_hand: &InHand, stop: CancellationToken) {
    let mut interval = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = state.dispatch.notified() => {}
            _ = interval.tick() => {}
        }
        match lease_due(state, in_hand).await {
            Ok(destinations) => {
                for destination in destinations {
                    if leased.send(destination).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot look for due notifications");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

async fn lease_due(state: &State, in_hand: &InHand) -> Result<Vec<destination::Model>> {
    let lease = TimeDelta::from_std(state.settings.notify_timeout * LEASE_ATTEMPTS + ANSWERED_WITHIN)?;
    let mut all = Vec::new();
    loop {
        let now = state.platform.clock().now();
        let held: Vec<Uuid> = locked(in_hand).iter().copied().collect();
        let tx = state.database.begin().await?;
        let leased = destination::lease(&tx, state.process, &held, now, lease, LEASES).await?;
        tx.commit().await?;
        locked(in_hand).extend(leased.iter().map(|destination| destination.id));
        let is_full = leased.len() as u64 == LEASES;
        all.extend(leased);
        if !is_full {
            return Ok(all);
        }
    }
}

/// Inputs: leased destinations, ends of their attempts, and `stop`. Ends when all attempts have ended after `stop`, or
/// after the grace period.
async fn deliver(
    state: &State,
    leased: &mut Receiver<destination::Model>,
    done: UnboundedSender<Done>,
    stop: CancellationToken,
) {
    let mut lanes = FuturesUnordered::new();
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::pin!(grace);
    let mut is_leasing = true;
    while is_leasing || !lanes.is_empty() {
        tokio::select! {
            destination = leased.recv(), if is_leasing => match destination {
                Some(destination) => lanes.push(attempt_due(state, destination)),
                None => is_leasing = false,
            },
            Some(result) = lanes.next(), if !lanes.is_empty() => {
                if done.send(result).is_err() {
                    return;
                }
            }
            () = &mut grace => return,
        }
    }
}

/// Attempts the due deliveries of a leased destination.
async fn attempt_due(state: &State, destination: destination::Model) -> Done {
    let id = destination.id;
    match attempt_rows(state, destination).await {
        Ok(done) => done,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), destination = %id, "cannot deliver notifications yet");
            Done { destination: id, deliveries: Vec::new(), outcomes: Vec::new() }
        }
    }
}

async fn attempt_rows(state: &State, destination: destination::Model) -> Result<Done> {
    let (db, now, id) = (&state.database, state.platform.clock().now(), destination.id);
    let nothing = || Done { destination: id, deliveries: Vec::new(), outcomes: Vec::new() };
    let target = match state.open_target(&destination) {
        Ok(target) => target,
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), destination = %id, "cannot deliver notifications");
            return unreadable(state, id).await;
        }
    };
    // A destination that failed gets one delivery, to find out whether it works again.
    let limit = if destination.failures > 0 { 1 } else { BATCH };
    let mut rows = delivery::due(db, id, now, limit).await?;
    let is_digest = destination.sends_digests() && rows.iter().any(|row| row.due_at > row.created_at);
    if is_digest {
        rows = delivery::due_for_digest(db, id, now, IN_DIGEST).await?;
    }
    if rows.is_empty() || !has_time(state, &destination) {
        return Ok(nothing());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.event_id).collect();
    let mut events = event::by_ids(db, &ids).await?;
    events.sort_by_key(|event| ids.iter().position(|id| *id == event.id));
    let events: Vec<_> = events.into_iter().map(Event::from).collect();
    anyhow::ensure!(events.len() == rows.len(), "an event of a delivery is missing");

    let (deliveries, outcomes) = if is_digest {
        // The same message again has the same id, unless events joined it.
        let message_id = format!("{}.{}", rows[0].event_id, rows.len());
        let message_id = if rows.len() == 1 { rows[0].event_id.to_string() } else { message_id };
        let outcome = send(state, &destination, &target, &events, &message_id).await;
        rows.iter_mut().for_each(|row| note(row, &outcome));
        state.metrics.attempted(&destination, &rows, &events, state.platform.clock().now());
        (rows, vec![outcome])
    } else {
        let attempts = rows.into_iter().zip(&events);
        let turns = Semaphore::new(AT_ONCE);
        let attempts = attempts.map(async |(row, event)| {
            let _turn = turns.acquire().await.ok()?;
            attempt(state, &destination, &target, row, event).await
        });
        let (rows, outcomes): (Vec<_>, Vec<_>) = join_all(attempts).await.into_iter().flatten().unzip();
        (rows, outcomes.into_iter().flatten().collect())
    };
    Ok(Done { destination: id, deliveries, outcomes })
}

/// Counts as a failed attempt, so that a destination that cannot be decrypted gets pauses like any other.
async fn unreadable(state: &State, id: Uuid) -> Result<Done> {
    let now = state.platform.clock().now();
    let mut deliveries = delivery::due(&state.database, id, now, 1).await?;
    let outcome = Outcome::failed(now, "unreadable");
    deliveries.iter_mut().for_each(|row| note(row, &outcome));
    Ok(Done { destination: id, deliveries, outcomes: vec![outcome] })
}

/// Returns `None` if the lease may end before the attempt. There is no outcome if no attempt was needed.
async fn attempt(
    state: &State,
    destination: &destination::Model,
    target: &Target,
    mut delivery: Model,
    event: &Event,
) -> Option<(Model, Option<Outcome>)> {
    if !has_time(state, destination) {
        return None;
    }
    let may_be_received = delivery.attempts == 0 && destination.schedule.waits_for_receipt(event);
    let events = std::slice::from_ref(event);
    let outcome = if may_be_received && was_received(state, event.id).await {
        note_received(&mut delivery, state.platform.clock().now());
        None
    } else if has_time(state, destination) {
        let outcome = send(state, destination, target, events, &event.id.to_string()).await;
        note(&mut delivery, &outcome);
        Some(outcome)
    } else {
        // The answer has taken a while.
        return None;
    };
    let now = state.platform.clock().now();
    state.metrics.attempted(destination, std::slice::from_ref(&delivery), events, now);
    Some((delivery, outcome))
}

/// Whether the lease outlives an attempt that begins now.
fn has_time(state: &State, destination: &destination::Model) -> bool {
    let attempt = TimeDelta::from_std(state.settings.notify_timeout).unwrap_or(TimeDelta::MAX);
    let now = state.platform.clock().now();
    destination.leased_until.is_some_and(|until| until - now >= attempt)
}

/// Stores results, as often as needed: without them, the deliveries would be sent again.
async fn store(state: &State, batch: Vec<Done>) {
    while let Err(error) = record(state, &batch).await {
        tracing::warn!(%error, "cannot store the results of deliveries yet");
        tokio::time::sleep(RETRY).await;
    }
}
