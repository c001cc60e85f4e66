use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::connection::Connection;
use super::perform::respond;
use super::replay::keep_written;
use crate::batch_writer::Stored;
use crate::client::RoomRequest;
use crate::hub::{Hub, Member};
use crate::protocol::{ClientError, Frame};

/// Number of acknowledgements of a connection that may wait for Redis.
const MAX_LATE: usize = 4;

/// Puts a socket into a room. Returns the acknowledgement.
pub(super) async fn join_room(connection: &Arc<Connection>, request: &RoomRequest) -> Option<Frame> {
    change_rooms(connection, request, Hub::subscribe).await
}

/// Takes a socket out of a room. Returns the acknowledgement.
pub(super) async fn leave_room(connection: &Arc<Connection>, request: &RoomRequest) -> Option<Frame> {
    change_rooms(connection, request, Hub::unsubscribe).await
}

/// Changes the rooms at once, but acknowledges it only after it is written: an acknowledged change outlives this
/// process.
async fn change_rooms(
    connection: &Arc<Connection>,
    RoomRequest { socket, room, reply }: &RoomRequest,
    change: fn(&Hub, socket: &str, room: &str) -> bool,
) -> Option<Frame> {
    let services = &connection.services;
    if !services.recovery.translator.catalogue.is_subscribable(room) {
        return reply.frame(Err(ClientError::UnknownRoom));
    }
    if !change(&services.hub, socket, room) {
        return reply.frame(Err(ClientError::AuthFailed));
    }
    let written = keep_written(connection, socket).await;
    let acknowledgement = reply.frame(Ok(json!({ "room": room })))?;
    let Err(written) = written else { return Some(acknowledgement) };
    if acknowledge_later(connection, written, acknowledgement) {
        return None;
    }
    reply.frame(Err(ClientError::Unavailable))
}

/// Sends an acknowledgement once the change is written. Returns false if too many of this connection wait already.
fn acknowledge_later(connection: &Arc<Connection>, written: Stored, acknowledgement: Frame) -> bool {
    if connection.late_acknowledgements.fetch_add(1, Ordering::Relaxed) >= MAX_LATE {
        connection.late_acknowledgements.fetch_sub(1, Ordering::Relaxed);
        return false;
    }
    let waiting = Arc::downgrade(connection);
    connection.services.tasks.run("late acknowledgement", async move {
        // An error means that the socket has left.
        let is_written = written.await.is_ok();
        if let Some(connection) = waiting.upgrade() {
            connection.late_acknowledgements.fetch_sub(1, Ordering::Relaxed);
            if is_written {
                respond(&connection, acknowledgement);
            }
        }
    });
    true
}

/// Replaces the token of every socket of this connection that is of the same session.
pub(super) async fn replace_token(
    connection: &Connection,
    socket: &str,
    token: &str,
) -> Result<Value, ClientError> {
    let (services, gone) = (&connection.services, ClientError::AuthFailed);
    let old = services.hub.with_member(socket, |member| (member.owner.user_id.clone(), member.owner.sid));
    let (user, session) = old.ok_or(gone.clone())?;
    let new = services.admission.reauthorize(&connection.peer, &user, session, token).await;
    let new = new.map_err(ClientError::Refused)?;
    let sockets = connection.with_client(|client| client.sockets().cloned().collect::<Vec<_>>());
    for other in sockets {
        let is_same = |member: &mut Member| member.owner.is_same(&new);
        if services.hub.with_member(&other, is_same) == Some(true) {
            services.hub.replace_claims(&other, &new);
        }
    }
    let expires_at = services.hub.with_member(socket, |member| member.owner.expires_at()).ok_or(gone)?;
    Ok(json!({ "expiresAt": expires_at }))
}
