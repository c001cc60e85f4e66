use std::time::Duration;

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;

use crate::{State, answered_request};

const CLEAN_INTERVAL: Duration = Duration::from_secs(3_600);

/// Publishes events and deletes old responses of `Idempotency-Key`s until `stop`. Also compiles the
/// patterns of the redaction filter, so that the first upload does not wait for them.
///
/// # Errors
/// If the metrics of this service are already registered, or a pattern cannot be compiled.
pub async fn run_background(state: State, stop: CancellationToken) -> Result<()> {
    let relay = state.database.run_relay(state.platform.metrics(), "drift-service", stop.clone());
    let compiling = tokio::task::spawn_blocking(scan::redact::compile_patterns);
    let cleaning = async {
        clean(&state, stop).await;
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
        if let Err(error) = answered_request::clean(&state.database, state.platform.clock().now()).await {
            tracing::warn!(%error, "could not delete old idempotency keys");
        }
    }
}
