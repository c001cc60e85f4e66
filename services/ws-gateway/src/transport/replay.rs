//! Delivers missed events of the log, until a socket can receive live events.

use std::sync::Arc;
use std::time::Duration;

use backplane::Position;
use tokio::time::timeout;

use super::connection::Connection;
use crate::batch_writer::Stored;
use crate::hub::{CatchUp, Subscriber};
use crate::outbound::Pushed;
use crate::protocol::{Ending, NamespaceKind, Notice, Unrecoverable};

/// Time that a client waits for its state to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts live delivery after a position, with the events since then first.
pub(super) async fn go_live(connection: &Arc<Connection>, kind: NamespaceKind, socket: &str, from: Position) {
    let _replay = connection.replay.lock().await;
    let (hub, mut at) = (&connection.services.hub, from);
    if hub.go_live(socket, &at, None) {
        return;
    }
    let Some(mut missed) = hub.begin_catch_up(socket, None) else { return };
    if let Err(reason) = catch_up(connection, kind, socket, &mut at, &mut missed).await {
        give_up(connection, kind, socket, reason);
    }
}

/// Delivers the missed events up to the current end of the catch-up. Returns their number. Waits while more than half
/// of the queue is in use, so that many missed events leave room for other frames.
pub(super) async fn deliver_missed(
    connection: &Arc<Connection>,
    kind: NamespaceKind,
    at: &mut Position,
    missed: &CatchUp,
) -> Result<usize, Unrecoverable> {
    let mut delivered = 0;
    loop {
        let page = connection.services.recovery.missed(at, &missed.until).await?;
        let Some(last) = page.last().and_then(|event| event.position.clone()) else { return Ok(delivered) };
        let wanted = page.iter().filter(|event| missed.wants(event));
        for frame in wanted.filter_map(|event| event.frame(kind)) {
            let pushed = connection.outbound.push_in_turn(frame.clone()).await;
            if !is_queued(connection, pushed) {
                return Ok(delivered);
            }
            delivered += 1;
        }
        *at = last;
    }
}

/// Delivers missed events until live delivery can start.
pub(super) async fn catch_up(
    connection: &Arc<Connection>,
    kind: NamespaceKind,
    socket: &str,
    at: &mut Position,
    missed: &mut CatchUp,
) -> Result<(), Unrecoverable> {
    while !connection.services.hub.go_live(socket, at, Some(missed)) && !connection.outbound.is_closing() {
        deliver_missed(connection, kind, at, missed).await?;
    }
    Ok(())
}

/// Counts a replay. If the replay failed, reports the gap to the client and starts live delivery.
pub(super) fn finish(
    connection: &Arc<Connection>,
    kind: NamespaceKind,
    socket: &str,
    replayed: Result<(), Unrecoverable>,
) {
    let label = replayed.map_or_else(|reason| reason.into_str(), |()| "recovered");
    connection.services.metrics.resumed(label);
    if let Err(reason) = replayed {
        give_up(connection, kind, socket, reason);
    }
}

fn give_up(connection: &Arc<Connection>, kind: NamespaceKind, socket: &str, reason: Unrecoverable) {
    let now = connection.services.clock.now();
    let pushed = connection.outbound.push(Notice::Resync { reason }.frame(kind, None, now));
    if is_queued(connection, pushed) {
        connection.services.hub.give_up_catch_up(socket);
    }
}

/// Whether a frame of a replay is queued. A full queue closes the connection: its client would not learn that the
/// frame is missing.
pub(super) fn is_queued(connection: &Arc<Connection>, pushed: Pushed) -> bool {
    if pushed == Pushed::Full {
        Arc::clone(connection).close(Ending::Slow);
    }
    matches!(pushed, Pushed::First | Pushed::Queued)
}

/// Keeps the state of a socket, so that its client can resume.
pub(super) fn keep(connection: &Connection, socket: &str) {
    let services = &connection.services;
    services.hub.with_member(socket, |member| services.recovery.keep(member));
}

/// Keeps the state of a socket and waits until it is written. If that takes too long, returns what to wait for.
pub(super) async fn keep_written(connection: &Arc<Connection>, socket: &str) -> Result<(), Stored> {
    let recovery = &connection.services.recovery;
    let written = connection.services.hub.with_member(socket, |member| recovery.keep_and_wait(member));
    let Some(mut written) = written.flatten() else { return Ok(()) };
    let patience = if recovery.backplane.is_connected() { PATIENCE } else { Duration::ZERO };
    match timeout(patience, &mut written).await {
        // The value is written, or the socket has left.
        Ok(_) => Ok(()),
        Err(_late) => Err(written),
    }
}
