//! Lets disconnected clients resume.

use std::sync::Arc;

use contracts::Claims;
use serde_json::{Map, Value, json};

use super::connection::{Connection, Services};
use super::enter::{Entrance, NotEntered, authorized, enter, ready};
use super::replay::{self, catch_up, deliver_missed, keep, keep_written};
use crate::client::{Reply, ResumeFrom};
use crate::hub::{Hears, Subscriber};
use crate::metrics::Dropped;
use crate::protocol::{ClientError, Ending, Frame, NamespaceKind, Unrecoverable, socketio};
use crate::random_id::random_id;
use crate::recovery::{KeptSocket, socket_of};

/// Lets a stock client in under its former socket id, and delivers the events that it missed. Returns `Ok(false)` if
/// the client must start without resuming.
pub(super) async fn recover_stock_client(
    connection: &Arc<Connection>,
    kind: NamespaceKind,
    claims: &Claims,
    auth: &Map<String, Value>,
) -> Result<bool, NotEntered> {
    let (services, metrics) = (&connection.services, &connection.services.metrics);
    let (Some(namespace), Some(Value::String(private_id))) = (kind.namespace(), auth.get("pid")) else {
        return Ok(false);
    };
    let socket: Arc<str> = socket_of(private_id).into();
    let entrance = format!("{socket}.{}", random_id());
    let after = auth.get("offset").and_then(Value::as_str).and_then(|offset| offset.parse().ok());
    let is_owner =
        |kept: &KeptSocket| kept.belongs_to(&claims.user_id, kind) && kept.is_known_by(private_id, &socket);
    let returning = match after {
        Some(after) => take_over(services, &socket, &entrance, is_owner).await.map(|kept| (after, kept)),
        None => None,
    };
    let Some((mut at, mut kept)) = returning else {
        metrics.resumed("unknown");
        return Ok(false);
    };
    // The socket may still be open elsewhere, and must not count twice.
    services.admission.quotas.release_at_once(&claims.user_id, &connection.peer, &kept.entrance).await;
    // Checked before the socket enters, because the `CONNECT` packet below reports the recovery to the client.
    if let Err(reason) = services.recovery.missed(&at, &ready(services).await?).await {
        metrics.resumed(reason.into_str());
        return Ok(false);
    }
    kept.entrance.clone_from(&entrance);
    let hears = Hears::Nothing(Box::default());
    let entering = Entrance { kind, claims, socket: Arc::clone(&socket), hears, kept: Some(&kept) };
    enter(connection, entering, |_, _| {}).await?;
    if !services.recovery.is_current(&entrance).await {
        // Another client may have resumed the socket before this entrance could be found.
        Arc::clone(connection).close(Ending::TakenOver);
        return Err(NotEntered::Ended);
    }
    // If the entrance is missing, it was taken over, or its session ended.
    let mut missed = services.hub.begin_catch_up(&entrance, Some(&kept.rooms)).ok_or(NotEntered::Ended)?;
    let connect = Frame::text(socketio::connect(namespace, &socket, Some(private_id)));
    let (pushed, lost) = services.hub.open_socket(&entrance, connect).ok_or(NotEntered::Ended)?;
    if !replay::is_queued(connection, pushed) {
        return Err(NotEntered::Ended);
    }
    metrics.dropped(Dropped::Overflow, lost);
    let mut replayed = deliver_missed(connection, kind, &mut at, &missed).await.map(drop);
    if replayed.is_ok() {
        // Sent before any live event, so that the offset in the notice is not older than one that the client already
        // has.
        let pushed = connection.outbound.push(authorized(connection, kind, claims, &socket, &at));
        if replay::is_queued(connection, pushed) {
            replayed = catch_up(connection, kind, &entrance, &mut at, &mut missed).await;
        }
    }
    let replayed = if lost > 0 { replayed.and(Err(Unrecoverable::Overflow)) } else { replayed };
    replay::finish(connection, kind, &entrance, replayed);
    keep(connection, &entrance);
    Ok(true)
}

/// Delivers the events that a client of `/ws` missed since a position, and puts the client into the rooms that it
/// names and those of the socket that it replaces.
pub(super) async fn resume_plain_client(
    connection: &Arc<Connection>,
    socket: &str,
    from: ResumeFrom,
    reply: &Reply,
) -> Option<Frame> {
    let _replay = connection.replay.lock().await;
    let (services, kind) = (&connection.services, NamespaceKind::Plain);
    let ResumeFrom { after: mut at, replaced, rooms: named } = from;
    let replaced = replaced.as_deref();
    if !named.iter().all(|room| services.recovery.translator.catalogue.is_subscribable(room)) {
        return reply.frame(Err(ClientError::UnknownRoom));
    }
    let Some(user) = services.hub.with_member(socket, |member| member.owner.user_id.clone()) else {
        return reply.frame(Err(ClientError::AuthFailed));
    };
    let rooms = match replaced {
        Some(replaced) => {
            let is_owner = |kept: &KeptSocket| kept.belongs_to(&user, kind);
            let kept = take_over(services, replaced, socket, is_owner).await;
            kept.map(|kept| kept.rooms).ok_or(Unrecoverable::UnknownSocket)
        }
        None => Ok(Vec::new()),
    };
    let rooms = rooms.map(|mut rooms: Vec<String>| {
        for room in named {
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        rooms
    });
    let mut outcome = json!({ "recovered": false, "rooms": rooms.as_deref().unwrap_or_default() });
    let replayed = match rooms.map(|rooms| services.hub.begin_catch_up(socket, Some(&rooms))) {
        Ok(Some(mut missed)) => {
            // Written before the replay, so that a client that is disconnected during it can resume with the same
            // rooms.
            if let Some(replaced) = replaced.filter(|replaced| *replaced != socket) {
                services.recovery.delete(replaced);
            }
            match keep_written(connection, socket).await {
                Ok(()) => match deliver_missed(connection, kind, &mut at, &missed).await {
                    Ok(delivered) => {
                        outcome["replayed"] = delivered.into();
                        catch_up(connection, kind, socket, &mut at, &mut missed).await
                    }
                    Err(reason) => Err(reason),
                },
                Err(_) => Err(Unrecoverable::Unavailable),
            }
        }
        Ok(None) => Err(Unrecoverable::Unavailable),
        Err(reason) => Err(reason),
    };
    outcome["recovered"] = replayed.is_ok().into();
    replay::finish(connection, kind, socket, replayed);
    reply.frame(Ok(outcome))
}

/// Makes an entrance the current one of a socket, if `is_owner` accepts the client. All others close.
async fn take_over(
    services: &Services,
    socket: &str,
    entrance: &str,
    is_owner: impl Fn(&KeptSocket) -> bool,
) -> Option<KeptSocket> {
    let kept = services.recovery.take_over(socket, entrance, is_owner).await?;
    services.cluster.announce_take_over(socket).await;
    Some(kept)
}
