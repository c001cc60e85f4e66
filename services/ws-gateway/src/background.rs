use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::admission::close_revoked_sockets;
use crate::receipts::Receipts;
use crate::relay::Relay;
use crate::state::State;
use crate::transport::drain;

/// Relays events, follows ended sessions and keeps the state in the backplane until `stop`. When the process begins
/// to stop, closes all sockets, spread over half of `shutdown_seconds`.
///
/// # Errors
/// None: a task that fails stops the process.
pub fn run_background(state: State, stop: CancellationToken) -> impl Future<Output = Result<()>> + Send {
    let platform = state.platform.clone();
    let (sessions, hubs) = (Arc::clone(&state.sessions), Arc::clone(&state.hubs));
    let limit = Duration::from_secs(platform.config().shutdown_seconds) / 2;
    // Tracked before the first await, so that the process waits for the drain even if it stops at once.
    let farewell = platform.lifecycle().farewells.track_future({
        let stop = platform.lifecycle().stop.clone();
        async move {
            stop.cancelled().await;
            drain(&sessions, &hubs, limit).await;
        }
    });
    platform.lifecycle().tasks.run("drain", farewell);
    async move {
        // An error means that a task panicked; then the process stops.
        join_all(spawn_all(&state, &stop)).await.into_iter().for_each(drop);
        Ok(())
    }
}

fn spawn_all(state: &State, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let platform = &state.platform;
    let (questions, receipts) = Receipts::new(
        Arc::clone(&state.hubs),
        Arc::clone(&state.recovery),
        Arc::clone(&platform.backplane().keys),
    );
    let relay = Relay {
        questions,
        hubs: Arc::clone(&state.hubs),
        cluster: Arc::clone(&state.cluster),
        translator: Arc::clone(&state.translator),
        recovery: Arc::clone(&state.recovery),
        revocation_lag: Arc::clone(&state.revocation_lag),
        metrics: Arc::clone(&state.metrics),
    };
    let revoked = close_revoked_sockets(
        platform.tokens().keys.withdrawals(),
        platform.tokens().revocations.clone(),
        Arc::clone(&state.hubs),
        Arc::clone(&state.revocation_lag),
        stop.clone(),
    );
    vec![
        spawn(state, "relay", relay.run(platform.backplane().feed_of_all_channels(), stop.clone())),
        spawn(state, "revoked sockets", revoked),
        spawn(state, "receipts", receipts.run(stop.clone())),
        spawn(state, "cluster", {
            let (cluster, stop) = (Arc::clone(&state.cluster), stop.clone());
            async move { cluster.stay_present(stop).await }
        }),
        spawn(state, "slots", {
            let (admission, stop) = (Arc::clone(&state.admission), stop.clone());
            async move { admission.quotas.renew(stop).await }
        }),
        spawn(state, "recovery", {
            let (recovery, hubs, stop) = (Arc::clone(&state.recovery), Arc::clone(&state.hubs), stop.clone());
            async move { recovery.renew(hubs, stop).await }
        }),
        spawn(state, "batch writer", {
            let (writer, stop) = (Arc::clone(&state.writer), stop.clone());
            async move { writer.run(stop).await }
        }),
    ]
}

fn spawn(
    state: &State,
    name: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    state.platform.lifecycle().tasks.spawn(name, task.map(Ok::<(), Infallible>))
}
