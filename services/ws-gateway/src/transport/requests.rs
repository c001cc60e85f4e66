use std::sync::Arc;

use serde_json::{Value, json};

use super::connection::Connection;
use super::replay::keep_written;
use crate::client::RoomRequest;
use crate::hub::{Hub, Member};
use crate::protocol::{ClientError, Frame};

/// Puts a socket into a room. Returns the acknowledgement.
pub(super) async fn join_room(connection: &Arc<Connection>, request: &RoomRequest) -> Option<Frame> {
    request.reply.frame(change_rooms(connection, request, Hub::subscribe).await)
}

/// Takes a socket out of a room. Returns the acknowledgement.
pub(super) async fn leave_room(connection: &Arc<Connection>, request: &RoomRequest) -> Option<Frame> {
    request.reply.frame(change_rooms(connection, request, Hub::unsubscribe).await)
}

async fn change_rooms(
    connection: &Arc<Connection>,
    RoomRequest { socket, room, .. }: &RoomRequest,
    change: fn(&Hub, socket: &str, room: &str) -> bool,
) -> Result<Value, ClientError> {
    let services = &connection.services;
    if !services.recovery.translator.catalogue.is_subscribable(room) {
        return Err(ClientError::UnknownRoom);
    }
    if !change(&services.hub, socket, room) {
        return Err(ClientError::AuthFailed);
    }
    keep_written(connection, socket).await;
    Ok(json!({ "room": room }))
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
