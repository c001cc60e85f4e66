use std::sync::Arc;

use backplane::Position;
use chrono::DateTime;
use contracts::Claims;
use tokio::time::Instant;

use super::close::forget;
use super::connection::Connection;
use super::perform::perform;
use crate::catalogue::own_rooms;
use crate::hub::{Hears, Member, Subscriber};
use crate::protocol::{Frame, NamespaceKind, Notice, Refusal};
use crate::recovery::KeptSocket;

/// A socket that is to be let in.
pub struct Entrance<'a> {
    pub kind: NamespaceKind,
    pub claims: &'a Claims,
    pub socket: Arc<str>,
    /// The events that the socket receives before it has caught up.
    pub hears: Hears,
    /// The state of a stock client that resumes: its private id stays the same.
    pub kept: Option<&'a KeptSocket>,
}

/// The reason why a socket was not let in.
pub enum NotEntered {
    Refused(Refusal),
    /// The feed has not begun or is stale, so no position is known after which the socket would receive every event;
    /// or the process is stopping, or a socket of the same id is still closing.
    Unavailable,
    /// The connection has ended, or the client has left the namespace.
    Ended,
}

/// Lets an authorized socket in. `greet` gets the position after which the socket receives every event, and queues
/// the first frames.
pub async fn enter(
    connection: &Arc<Connection>,
    Entrance { kind, claims, socket, hears, kept }: Entrance<'_>,
    greet: impl FnOnce(&Position, &Member),
) -> Result<(), NotEntered> {
    let services = &connection.services;
    // Waits at most half of the handshake limit, so that the client learns the reason before the limit closes the
    // connection.
    if !services.are_open() || !services.hub.started(services.settings.handshake() / 2).await {
        return Err(NotEntered::Unavailable);
    }
    let subscriber = Arc::<Connection>::clone(connection) as Arc<dyn Subscriber>;
    let mut member = Member::new(Arc::clone(&socket), kind, claims, subscriber, &services.clock);
    // A client of `/ws` may still send `resume`.
    let may_resume = kind == NamespaceKind::Plain && services.recovery.is_on();
    member.hears = hears;
    let mut rooms = own_rooms(claims);
    if let Some(kept) = kept {
        member.secret = (*kept.secret).into();
        rooms.extend_from_slice(&kept.rooms);
    }
    let (quotas, slot) = (&services.admission.quotas, Arc::clone(&member.slot));
    quotas.take(&claims.user_id, &connection.peer, &slot).await.map_err(NotEntered::Refused)?;
    let Some(position) = services.hub.join(member, &rooms, greet) else {
        quotas.release(&claims.user_id, &connection.peer, &slot);
        return Err(NotEntered::Unavailable);
    };
    services.metrics.connections.inc();
    let resume_from = may_resume.then_some(position);
    let now = Instant::now();
    let admitted = connection.with_client(|client| client.on_admitted(now, kind, &socket, resume_from));
    let Some(effects) = admitted else {
        forget(connection, &socket, true);
        return Err(NotEntered::Ended);
    };
    perform(connection, effects);
    tracing::info!(
        socket = &*socket,
        user = claims.user_id,
        sid = claims.sid.map(tracing::field::display),
        namespace = kind.endpoint(),
        "socket authorized"
    );
    // The session may have ended, or the account changed, between the check of the token and the join of the rooms.
    services.hub.recheck(&socket, &services.admission.verifier);
    Ok(())
}

/// The first notice of a socket. The notice has the offset, so that no event is missed if the connection breaks
/// before the first event.
pub fn authorized(
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
