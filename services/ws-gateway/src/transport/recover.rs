//! Lets disconnected clients resume.

use std::sync::Arc;

use backplane::Position;
use contracts::Claims;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::connection::Connection;
use super::enter::{Entrance, NotEntered, authorized, enter};
use super::perform::perform;
use super::replay::{self, catch_up, deliver_missed, keep, keep_written};
use crate::client::Reply;
use crate::hub::{Hears, Subscriber};
use crate::metrics::Dropped;
use crate::protocol::{ClientError, Ending, Frame, NamespaceKind, Unrecoverable, socketio};
use crate::random_id::random_id;
use crate::recovery::{KeptSocket, parse_offset, socket_of};

/// A stock client that resumes, with the position that it reached.
struct Returning {
    socket: Arc<str>,
    private_id: String,
    claim: Arc<str>,
    after: Position,
    kept: KeptSocket,
}

/// Lets a stock client in under its former socket id, and delivers the events that it missed. Returns `Ok(false)` if
/// the client must start without resuming.
pub async fn recover_stock_client(
    connection: &Arc<Connection>,
    kind: NamespaceKind,
    claims: &Claims,
    auth: &Map<String, Value>,
) -> Result<bool, NotEntered> {
    let services = &connection.services;
    let (Some(namespace), Some(Value::String(private_id))) = (kind.namespace(), auth.get("pid")) else {
        return Ok(false);
    };
    let Some(returning) = find(connection, kind, claims, private_id, auth).await else {
        services.metrics.resumed("unknown");
        return Ok(false);
    };
    services.cluster.take_over(&returning.socket).await;
    // The socket may still be open elsewhere, and must not count twice.
    services.admission.quotas.release_at_once(&claims.user_id, &connection.peer, &returning.kept.slot).await;
    let (hears, kept) = (Hears::Nothing(Box::default()), Some(&returning.kept));
    let entrance = Entrance { kind, claims, socket: Arc::clone(&returning.socket), hears, kept };
    enter(connection, entrance, |_, _| {}).await?;
    let (socket, mut at) = (&*returning.socket, returning.after);
    if !services.recovery.is_claimed_by(socket, &returning.claim).await {
        // The other client may have asked for the take-over before this socket entered.
        Arc::clone(connection).close(Ending::TakenOver);
        return Err(NotEntered::Ended);
    }
    let Some(mut missed) = services.hub.begin_catch_up(socket, &[]) else {
        // The socket was taken over, or its session ended. It must not come in under another id.
        return Err(NotEntered::Ended);
    };
    // Checked first, because the `CONNECT` packet below reports the recovery to the client.
    if let Err(reason) = services.recovery.missed(&at, &missed.until).await {
        services.metrics.resumed(reason.into_str());
        drop_socket(connection, socket);
        return Ok(false);
    }
    let connect = socketio::connect(namespace, socket, Some(&returning.private_id));
    let pushed = connection.outbound.push(Frame::text(connect));
    if !replay::is_queued(connection, pushed) {
        return Err(NotEntered::Ended);
    }
    let lost = services.hub.open_socket(socket);
    services.metrics.dropped(Dropped::Overflow, lost);
    let mut replayed = deliver_missed(connection, kind, &mut at, &missed).await.map(drop);
    if replayed.is_ok() {
        // Sent before any live event, so that the offset in the notice is not older than one that the client already
        // has.
        let pushed = connection.outbound.push(authorized(connection, kind, claims, socket, &at));
        if replay::is_queued(connection, pushed) {
            replayed = catch_up(connection, kind, socket, &mut at, &mut missed).await;
        }
    }
    let replayed = if lost > 0 { replayed.and(Err(Unrecoverable::Overflow)) } else { replayed };
    replay::finish(connection, kind, socket, replayed);
    keep(connection, socket);
    Ok(true)
}

/// Delivers the events that a client of `/ws` missed since a position, and puts the client into the rooms of the
/// socket that it replaces.
pub async fn resume_plain_client(
    connection: &Arc<Connection>,
    socket: &str,
    after: Position,
    replaced: Option<&str>,
    reply: &Reply,
) -> Option<Frame> {
    // Waits for the previous replay, so that two replays never run at once.
    if let Some(task) = connection.take_catching_up() {
        // An error means that the process stops.
        let _ = task.await;
    }
    let (services, kind) = (&connection.services, NamespaceKind::Plain);
    let Some(user) = services.hub.with_member(socket, |member| member.owner.user_id.clone()) else {
        return reply.frame(Err(ClientError::AuthFailed));
    };
    let rooms = match replaced {
        Some(replaced) => rooms_of(connection, socket, replaced, &user).await,
        None => Ok(Vec::new()),
    };
    let mut outcome = json!({ "recovered": false, "rooms": rooms.as_deref().unwrap_or_default() });
    let mut at = after;
    let replayed = match rooms.map(|rooms| services.hub.begin_catch_up(socket, &rooms)) {
        Ok(Some(mut missed)) => {
            // Written before the replay, so that a client that is disconnected during it can resume with the same
            // rooms.
            keep_written(connection, socket).await;
            match deliver_missed(connection, kind, &mut at, &missed).await {
                Ok(delivered) => {
                    outcome["replayed"] = delivered.into();
                    catch_up(connection, kind, socket, &mut at, &mut missed).await
                }
                Err(reason) => Err(reason),
            }
        }
        Ok(None) => Err(Unrecoverable::Unavailable),
        Err(reason) => Err(reason),
    };
    outcome["recovered"] = replayed.is_ok().into();
    replay::finish(connection, kind, socket, replayed);
    reply.frame(Ok(outcome))
}

/// The rooms of the socket that this one replaces. The replaced socket closes.
async fn rooms_of(
    connection: &Connection,
    socket: &str,
    replaced: &str,
    user: &str,
) -> Result<Vec<String>, Unrecoverable> {
    let services = &connection.services;
    let is_owner = |kept: &KeptSocket| kept.belongs_to(user, NamespaceKind::Plain);
    let kept = services.recovery.take(replaced, is_owner).await;
    let kept = kept.ok_or(Unrecoverable::UnknownSocket)?;
    if replaced != socket {
        services.cluster.take_over(replaced).await;
    }
    Ok(kept.rooms)
}

/// Claims the kept state of a client that sends a private id.
async fn find(
    connection: &Connection,
    kind: NamespaceKind,
    claims: &Claims,
    private_id: &str,
    auth: &Map<String, Value>,
) -> Option<Returning> {
    let recovery = &connection.services.recovery;
    recovery.window?;
    let socket = socket_of(private_id)?;
    let after = parse_offset(auth.get("offset")?.as_str()?)?;
    let is_owner =
        |kept: &KeptSocket| kept.belongs_to(&claims.user_id, kind) && kept.is_known_by(private_id, socket);
    let claim = random_id();
    let kept = recovery.claim(socket, &claim, is_owner).await?;
    Some(Returning { socket: socket.into(), private_id: private_id.into(), claim, after, kept })
}

/// Removes a socket that was let in but has nothing to continue from.
fn drop_socket(connection: &Arc<Connection>, socket: &str) {
    let effects = connection.update(|client| client.on_unrecoverable(Instant::now(), socket));
    perform(connection, effects);
}
