use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::mail_queue::deliver;
use crate::state::State;
use crate::sweeper;

/// Publishes events and ends expired sessions until `stop`.
///
/// # Errors
/// If events cannot be published at all.
pub async fn run_background(state: State, stop: CancellationToken) -> Result<()> {
    let sweeping = sweeper::run(state.clone(), stop.clone());
    let mailing = deliver::run(state.clone(), stop.clone());
    let relaying = state.database.run_relay(state.platform.metrics(), "auth-service", stop);
    let (relayed, (), ()) = tokio::join!(relaying, sweeping, mailing);
    relayed
}
