//! Ends sockets whose session has ended, and brings roles and accounts of the others up to date.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use identity::{Change, TokenError};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ending::Ending;
use crate::gateway::Gateway;
use crate::hub::{Ended, session_room, user_room};

/// Follows the list of ended sessions until `stop`.
///
/// Inputs: changes of the list. Whoever missed some looks at every socket.
pub async fn run(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut changes = gateway.platform.revocations.changes();
    loop {
        let change = tokio::select! {
            change = changes.recv() => change,
            () = stop.cancelled() => return,
        };
        match change {
            Ok(Change::SessionEnded { session, reason }) => {
                let room = session_room(session);
                let sockets = gateway.sockets(|hub| hub.in_room(&room));
                for Ended { connection, socket } in &sockets {
                    connection.end_socket(&gateway, socket, Ending::Revoked(reason));
                }
                if !sockets.is_empty() {
                    gateway.revocations.closed(&gateway, session);
                }
            }
            Ok(Change::UserChanged { user }) => {
                let room = user_room(&user);
                recheck(&gateway, gateway.sockets(|hub| hub.in_room(&room)));
            }
            Err(RecvError::Lagged(_)) => recheck(&gateway, gateway.sockets(|hub| hub.all())),
            Err(RecvError::Closed) => return,
        }
    }
}

fn recheck(gateway: &Gateway, sockets: Vec<Ended>) {
    for Ended { connection, socket } in sockets {
        let verifier = &gateway.platform.verifier;
        let checked = connection.hub.with_member(&socket, |member| {
            let old = member.claims.account_id.clone();
            let checked = verifier.recheck(&mut member.claims);
            (checked, old, member.claims.account_id.clone())
        });
        match checked {
            Some((Err(TokenError::Revoked { reason }), ..)) => {
                connection.end_socket(gateway, &socket, Ending::Revoked(reason));
            }
            Some((_, old, new)) => connection.hub.change_account(&socket, old.as_deref(), new.as_deref()),
            None => {}
        }
    }
}

/// Measures from a session's end to its sockets'. The event that tells when it ended and the change
/// of the list that closes them come by two ways, in either order.
#[derive(Default)]
pub struct Revocations(Mutex<HashMap<Uuid, Half>>);

enum Half {
    Ended(DateTime<Utc>),
    Closed(DateTime<Utc>),
}

impl Revocations {
    /// An event says that the session ended then.
    pub fn ended(&self, gateway: &Gateway, session: Uuid, at: DateTime<Utc>) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Half::Closed(closed)) = halves.remove(&session) {
            gateway.metrics.revocation(closed - at);
        } else {
            let oldest = gateway.clock().now() - TimeDelta::minutes(1);
            halves.retain(|_, half| matches!(half, Half::Ended(at) | Half::Closed(at) if *at > oldest));
            halves.insert(session, Half::Ended(at));
        }
    }

    fn closed(&self, gateway: &Gateway, session: Uuid) {
        let now = gateway.clock().now();
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match halves.remove(&session) {
            Some(Half::Ended(at)) => gateway.metrics.revocation(now - at),
            _ => {
                halves.insert(session, Half::Closed(now));
            }
        }
    }
}
