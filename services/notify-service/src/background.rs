use std::time::Duration;

use anyhow::Result;
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::State;
use crate::delivery::backoff::FAILING_AFTER;
use crate::delivery::{dispatcher, upkeep};
use crate::destination::entity as destination;
use crate::intake::{consumer, erase};
use crate::slack_app::{link, thread};

const CLEAN_INTERVAL: Duration = Duration::from_secs(600);
/// Time after its last change for which the next event about a drift continues its thread.
const THREADS_KEPT: TimeDelta = TimeDelta::days(365);
const MEASURE_INTERVAL: Duration = Duration::from_secs(5);

/// Publishes events, hands those of the log to the destinations, delivers, and deletes what is old, until `stop`.
///
/// # Errors
/// If the metrics of this service are already registered.
pub async fn run_background(state: State, stop: CancellationToken) -> Result<()> {
    let relay = state.database.run_relay(state.platform.metrics(), "notify-service", stop.clone());
    let working = async {
        tokio::join!(
            consumer::run(&state, stop.clone()),
            dispatcher::run(&state, stop.clone()),
            maintain(&state, stop.clone()),
        );
        // The next process need not wait until the leases end.
        if let Err(error) = destination::release_all(&state.database, state.process).await {
            tracing::warn!(%error, "could not end the leases of destinations");
        }
        anyhow::Ok(())
    };
    tokio::try_join!(relay, working)?;
    Ok(())
}

async fn maintain(state: &State, stop: CancellationToken) {
    report(state.renew_seals().await, "could not encrypt destinations with the new secret");
    let mut clean_interval = tokio::time::interval(CLEAN_INTERVAL);
    let mut measure_interval = tokio::time::interval(MEASURE_INTERVAL);
    loop {
        tokio::select! {
            _ = clean_interval.tick() => report(clean(state).await, "could not delete old deliveries"),
            _ = measure_interval.tick() => report(measure(state).await, "could not measure the deliveries"),
            () = stop.cancelled() => return,
        }
    }
}

fn report(result: Result<()>, failure: &str) {
    if let Err(error) = result {
        tracing::warn!(error = format!("{error:#}"), "{failure}");
    }
}

async fn clean(state: &State) -> Result<()> {
    let now = state.platform.clock().now();
    let days = TimeDelta::days(state.settings.notify_retention_days.into());
    erase::delete_before(&state.database, now - days).await?;
    thread::delete_before(&state.database, now - THREADS_KEPT).await?;
    link::delete_expired(&state.database, now).await?;
    Ok(())
}

async fn measure(state: &State) -> Result<()> {
    let now = state.platform.clock().now();
    let expired = upkeep::expire(&state.database, now).await?;
    if !expired.is_empty() {
        tracing::warn!(expired = expired.len(), "gave up deliveries that could not be made in time");
    }
    expired.into_iter().for_each(|kind| state.metrics.expired(kind));
    let (waiting, oldest) = upkeep::backlog(&state.database, now).await?;
    state.metrics.waiting.set(i64::try_from(waiting)?);
    state.metrics.oldest_seconds.set(oldest.map_or(0, |due| (now - due).num_seconds()));
    let failing = destination::count_failing(&state.database, FAILING_AFTER).await?;
    state.metrics.failing.set(i64::try_from(failing)?);
    Ok(())
}
