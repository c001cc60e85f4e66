//! Closes the sockets of ended sessions and withdrawn keys, and updates roles and accounts of the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Clock;
use identity::{Change, Revocations};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::catalogue::{session_room, user_room};
use crate::hub::{Hub, Hubs, SocketRef};
use crate::metrics::Metrics;

/// Follows the list of ended sessions and the withdrawn keys until `stop`.
///
/// Inputs: changes of the list. If some were missed, every socket is checked. After the withdrawal of a key, every
/// socket needs a new token, because nobody knows who has the key.
pub(crate) async fn close_revoked_sockets(
    mut withdrawals: watch::Receiver<u32>,
    revocations: Revocations,
    hubs: Arc<Hubs>,
    lag: Arc<RevocationLag>,
    stop: CancellationToken,
) {
    let mut changes = revocations.changes();
    loop {
        let change = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Ok(()) = withdrawals.changed() => {
                recheck(&hubs, Hub::sockets);
                continue;
            }
            change = changes.recv() => change,
        };
        match change {
            Ok(Change::SessionEnded { session, reason }) => {
                let sockets = hubs.in_room(&session_room(session));
                let any = !sockets.is_empty();
                for SocketRef { subscriber, socket } in sockets {
                    subscriber.revoke(&socket, reason);
                }
                if any {
                    lag.closed(session);
                }
            }
            Ok(Change::UserChanged { user }) => {
                let room = user_room(&user);
                recheck(&hubs, |hub| hub.in_room(&room));
            }
            Err(RecvError::Lagged(_)) => recheck(&hubs, Hub::sockets),
            Err(RecvError::Closed) => return,
        }
    }
}

fn recheck(hubs: &Hubs, select: impl Fn(&Hub) -> Vec<SocketRef>) {
    for hub in hubs.all() {
        for SocketRef { socket, .. } in select(&hub) {
            hub.recheck(&socket);
        }
    }
}

/// Measures the time from the end of a session to the close of its sockets. The event has the time of the end, and
/// the change of the list closes the sockets. They arrive separately, in either order.
pub(crate) struct RevocationLag {
    metrics: Arc<Metrics>,
    clock: Clock,
    halves: Mutex<HashMap<Uuid, Half>>,
}

enum Half {
    Ended(DateTime<Utc>),
    Closed(DateTime<Utc>),
}

impl RevocationLag {
    pub(crate) fn new(metrics: Arc<Metrics>, clock: Clock) -> Self {
        Self { metrics, clock, halves: Mutex::default() }
    }

    /// Records the time at which a session ended, as its event reports it.
    pub(crate) fn ended(&self, session: Uuid, at: DateTime<Utc>) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Half::Closed(closed)) = halves.remove(&session) {
            self.metrics.revocation(closed - at);
        } else {
            let oldest = self.clock.now() - TimeDelta::minutes(1);
            halves.retain(|_, half| matches!(half, Half::Ended(at) | Half::Closed(at) if *at > oldest));
            halves.insert(session, Half::Ended(at));
        }
    }

    fn closed(&self, session: Uuid) {
        let now = self.clock.now();
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        match halves.remove(&session) {
            Some(Half::Ended(at)) => self.metrics.revocation(now - at),
            _ => {
                halves.insert(session, Half::Closed(now));
            }
        }
    }
}
