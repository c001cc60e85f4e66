use std::sync::Arc;

use backplane::Position;
use chrono::DateTime;
use contracts::Claims;
use tokio::time::Instant;

use super::connection::{Connection, Services};
use super::perform::perform;
use crate::hub::{Hears, Member, Subscriber};
use crate::protocol::{Frame, NamespaceKind, Notice, Refusal};
use crate::recovery::KeptSocket;

/// A socket that is to be let in.
pub(super) struct Entrance<'a> {
    pub kind: NamespaceKind,
    pub claims: &'a Claims,
    pub socket: Arc<str>,
    /// The events that the socket receives before it has caught up.
    pub hears: Hears,
    /// The state of a stock client that resumes, with the id of the new entrance.
    pub kept: Option<&'a KeptSocket>,
}

/// The reason why a socket was not let in.
pub(super) enum NotEntered {
    Refused(Refusal),
    /// The feed has not begun or is stale, so no position is known after which the socket would receive every event;
    /// or the process is stopping.
    Unavailable,
    /// The connection has ended, or another client resumed the socket.
    Ended,
}

/// Waits until sockets may be let in, and returns the position of the newest event. Waits at most half of the
/// handshake limit, so that the client learns the reason before the limit closes the connection.
pub(super) async fn ready(services: &Services) -> Result<Position, NotEntered> {
    if !services.are_open() {
        return Err(NotEntered::Unavailable);
    }
    services.hub.started(services.settings.handshake() / 2).await.ok_or(NotEntered::Unavailable)
}

/// Lets an authorized socket in. `greet` gets the position after which the socket receives every event, and queues
/// the first frames.
pub(super) async fn enter(
    connection: &Arc<Connection>,
    Entrance { kind, claims, socket, hears, kept }: Entrance<'_>,
    greet: impl FnOnce(&Position, &Member),
) -> Result<(), NotEntered> {
    let services = &connection.services;
    ready(services).await?;
    let subscriber = Arc::<Connection>::clone(connection) as Arc<dyn Subscriber>;
    let mut member = Member::new(Arc::clone(&socket), kind, claims, subscriber, &services.clock);
    // A client of `/ws` may still send `resume`.
    let may_resume = kind == NamespaceKind::Plain && services.recovery.is_on();
    member.hears = hears;
    if let Some(kept) = kept {
        (member.secret, member.entrance) = ((*kept.secret).into(), (*kept.entrance).into());
    }
    let (rooms, entrance) = (kept.map_or(&[][..], |kept| &kept.rooms), Arc::clone(&member.entrance));
    let slots = services.admission.quotas.take(&claims.user_id, &connection.peer, &entrance).await;
    let slots = slots.map_err(NotEntered::Refused)?;
    // The hub and the connection learn of the socket in one step, so that a connection that has ended leaves no socket
    // behind, and a client leaves only a namespace that it is in.
    let joined = services.hub.join(member, rooms, |position, member| {
        let (now, resume_from) = (Instant::now(), may_resume.then(|| position.clone()));
        let admitted =
            connection.with_client(|client| client.on_admitted(now, kind, &member.entrance, resume_from))?;
        services.metrics.connections.inc();
        greet(position, member);
        Some(admitted)
    });
    let effects = joined.map_err(|error| NotEntered::Refused(error.into()))?.ok_or(NotEntered::Ended)?;
    slots.keep();
    perform(connection, effects);
    tracing::info!(
        socket = &*socket,
        user = claims.user_id,
        sid = claims.sid.map(tracing::field::display),
        namespace = kind.endpoint(),
        "socket authorized"
    );
    Ok(())
}

/// The first notice of a socket. The notice has the offset, so that no event is missed if the connection breaks
/// before the first event.
pub(super) fn authorized(
    connection: &Connection,
    kind: NamespaceKind,
    claims: &Claims,
    socket: &str,
    position: &Position,
) -> Frame {
    let services = &connection.services;
    let notice = Notice::Authorized {
        user_id: &claims.user_id,
        session_id: socket,
        sid: claims.sid,
        expires_at: DateTime::from_timestamp(claims.exp, 0),
        epoch: &position.epoch,
        seq: position.seq,
    };
    let offset = services.recovery.is_on().then(|| position.to_string());
    notice.frame(kind, offset.as_deref(), services.clock.now())
}
