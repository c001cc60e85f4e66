use anyhow::Result;
use contracts::STEP_UP_CHANNEL;
use tokio_util::sync::CancellationToken;

use crate::mail_queue::deliver;
use crate::state::State;
use crate::step_up::over_sockets;
use crate::sweeper;

/// Returns the channels to which the process's backplane must subscribe in addition to the logged ones.
pub fn channels() -> Vec<String> {
    vec![STEP_UP_CHANNEL.into()]
}

/// Publishes events, ends expired sessions and handles step-ups over sockets until `stop`.
///
/// # Errors
/// If events cannot be published at all.
pub async fn run_background(state: State, stop: CancellationToken) -> Result<()> {
    let sweeping = sweeper::run(state.clone(), stop.clone());
    let mailing = deliver::run(state.clone(), stop.clone());
    let stepping_up = over_sockets::run(state.clone(), stop.clone());
    let relaying = state.database.run_relay(state.platform.metrics(), "auth-service", stop);
    let (relayed, (), (), ()) = tokio::join!(relaying, sweeping, mailing, stepping_up);
    relayed
}
