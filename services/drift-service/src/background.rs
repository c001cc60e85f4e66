use std::time::Duration;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::event_follower::follow;
use crate::{State, answered_request, drift, scans, stack};

const CLEAN_INTERVAL: Duration = Duration::from_secs(3_600);

/// Publishes events, follows those of all processes, reports silent stacks, ends approvals and snoozes, and deletes old
/// scans and old responses of `Idempotency-Key`s until `stop`.
/// Also compiles the patterns of the redaction filter, so that the first upload does not wait for them.
///
/// # Errors
/// If the metrics of this service are already registered, or a pattern cannot be compiled.
pub async fn run_background(state: State, stop: CancellationToken) -> Result<()> {
    let relay = state.database.run_relay(state.platform.metrics(), "drift-service", stop.clone());
    let compiling = tokio::task::spawn_blocking(scan::redact::compile_patterns);
    let cleaning = async {
        tokio::join!(clean(&state, stop.clone()), watch(&state, stop.clone()), follow(&state, stop));
        anyhow::Ok(())
    };
    tokio::try_join!(relay, cleaning, async { compiling.await.context("the patterns cannot be compiled") })?;
    Ok(())
}

async fn clean(state: &State, stop: CancellationToken) {
    let mut interval = tokio::time::interval(CLEAN_INTERVAL);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return,
        }
        let now = state.platform.clock().now();
        if let Err(error) = answered_request::clean(&state.database, now).await {
            tracing::warn!(%error, "could not delete old idempotency keys");
        }
        let kept = TimeDelta::days(state.settings.scan_retention_days.into());
        if let Err(error) = scans::entity::delete_before(&state.database, now - kept).await {
            tracing::warn!(%error, "could not delete old scans");
        }
    }
}

async fn watch(state: &State, stop: CancellationToken) {
    let mut interval = tokio::time::interval(state.settings.stack_check_interval);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = stack::report_silent_stacks(state).await {
            tracing::warn!(%error, "could not look for silent stacks");
        }
        if let Err(error) = drift::end_due(state).await {
            tracing::warn!(%error, "could not end approvals and snoozes");
        }
    }
}
