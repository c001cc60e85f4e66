//! Ends sockets whose session has ended, and brings the roles of the others up to date.

use std::sync::Arc;

use identity::{Change, TokenError};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

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
                for Ended { connection, socket } in gateway.sockets(|hub| hub.in_room(&room)) {
                    connection.end_socket(&gateway, &socket, Ending::Revoked(reason));
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
        let checked = connection.hub.with_member(&socket, |member| verifier.recheck(&mut member.claims));
        if let Some(Err(TokenError::Revoked { reason })) = checked {
            connection.end_socket(gateway, &socket, Ending::Revoked(reason));
        }
    }
}
