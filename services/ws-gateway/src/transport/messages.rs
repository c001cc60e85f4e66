//! The rate limit on the messages of a client.

use std::sync::Arc;

use smallvec::smallvec;
use tokio::time::{Instant, sleep};

use super::connection::Connection;
use super::perform::perform;
use crate::admission::MESSAGE_WINDOW;
use crate::client::{
    Candidate, ClientRequest, Effect, Effects, Reply, RequestAction, Resumption, RoomRequest,
};
use crate::metrics::Dropped;
use crate::protocol::{ClientError, Notice};

/// Number of windows that a message waits for its turn.
const PATIENCE: u32 = 10;

/// Admits a message, and returns the effects of its request.
pub(super) async fn admit_message(connection: &Arc<Connection>, request: ClientRequest) -> Effects {
    if !is_free(connection, &request) {
        let user =
            connection.services.hub.with_member(&request.socket, |member| member.owner.user_id.clone());
        let Some(user) = user else { return respond(&request.reply, Err(ClientError::RateLimited)) };
        let warn = |dropped| warn(connection, &request, dropped);
        if let Err(error) = wait_for_turn(connection, &user, warn).await {
            return respond(&request.reply, Err(error));
        }
    }
    let ClientRequest { socket, action, reply, .. } = request;
    let effect = match action {
        RequestAction::Join { room } => Effect::Join(RoomRequest { socket, room, reply }.into()),
        RequestAction::Leave { room } => Effect::LeaveRoom(RoomRequest { socket, room, reply }.into()),
        RequestAction::Reauth { token } => Effect::Admit(Candidate::Token { socket, token, reply }.into()),
        RequestAction::Resume { .. } if !connection.services.recovery.is_on() => {
            return respond(&reply, Err(ClientError::NotRecoverable));
        }
        RequestAction::Resume { from, .. } => {
            Effect::Resume(Resumption::Missed { socket, from, reply }.into())
        }
        RequestAction::Ping => return respond(&reply, Ok(serde_json::Value::Null)),
        RequestAction::Auth => return respond(&reply, Err(ClientError::AlreadyAuthorized)),
        RequestAction::Unknown => return respond(&reply, Err(ClientError::UnknownEvent)),
    };
    smallvec![effect]
}

fn respond(reply: &Reply, result: Result<serde_json::Value, ClientError>) -> Effects {
    reply.frame(result).map(Effect::Send).into_iter().collect()
}

/// Whether a message is not counted: the first resume, and a subscription to a room that the socket is not in. The
/// number of rooms bounds such subscriptions, and every page sends some when it connects.
fn is_free(connection: &Connection, request: &ClientRequest) -> bool {
    match &request.action {
        RequestAction::Resume { is_first, .. } => *is_first,
        RequestAction::Join { room } => {
            let services = &connection.services;
            let is_outside = services.hub.with_member(&request.socket, |member| !member.is_in(room));
            services.recovery.translator.catalogue.is_subscribable(room) && is_outside == Some(true)
        }
        _ => false,
    }
}

/// Counts a message of a user, over all sockets and replicas. A message over the limit waits for the next window, and
/// so does everything that the client sends after it. Calls `warn(false)` when the message has to wait, and
/// `warn(true)` when it is dropped. Closes the connection if too many messages in a row have to wait.
pub(super) async fn wait_for_turn(
    connection: &Arc<Connection>,
    user: &str,
    warn: impl Fn(bool),
) -> Result<(), ClientError> {
    let services = &connection.services;
    for window in 0..PATIENCE {
        if services.admission.count_message(user).await {
            return Ok(());
        }
        if window == 0 {
            let closed = connection.update(|client| client.on_delayed_message(Instant::now()));
            if !closed.is_empty() {
                services.metrics.dropped(Dropped::RateLimit, 1);
                perform(connection, closed);
                return Err(ClientError::RateLimited);
            }
            warn(false);
        }
        sleep(MESSAGE_WINDOW).await;
        if connection.outbound.is_closing() {
            return Err(ClientError::RateLimited);
        }
    }
    services.metrics.dropped(Dropped::RateLimit, 1);
    warn(true);
    Err(ClientError::RateLimited)
}

fn warn(connection: &Connection, request: &ClientRequest, dropped: bool) {
    let services = &connection.services;
    let notice = Notice::RateLimit {
        limit: services.admission.messages_per_second,
        window_ms: u64::try_from(MESSAGE_WINDOW.as_millis()).unwrap_or(u64::MAX),
        message: &request.name,
        dropped,
    };
    connection.outbound.push_response(notice.frame(request.kind, None, services.clock.now()));
}
