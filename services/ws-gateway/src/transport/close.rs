use std::sync::Arc;

use contracts::Sampler;

use super::connection::Connection;
use crate::client::{Afterwards, Backlog, Closing, Departure, Farewell, LastFrame, LastNotice, Parting};
use crate::hub::Member;
use crate::metrics::Dropped;
use crate::protocol::engineio::Packet;
use crate::protocol::{Ending, Frame, NamespaceKind, Notice, socketio};

static ENDED_UNAUTHORIZED: Sampler = Sampler::new();

/// Executes a step of a close.
pub(super) fn close(connection: &Arc<Connection>, closing: Closing) {
    match closing {
        Closing::Begin(parting) => begin(connection, &parting),
        Closing::Confirm => connection.outbound.finish([Frame::normal_close()]),
        Closing::Finish(ending) => {
            connection.services.sessions.remove(&connection.id);
            connection.outbound.finish([Frame::close(ending.code(), ending.reason())]);
        }
    }
}

/// Takes a socket out of the hub. Returns its last messages.
pub(super) fn leave(connection: &Connection, departure: &Departure) -> Vec<Frame> {
    forget(connection, &departure.socket, departure.may_return);
    last_frames(connection, departure.kind, departure.notice)
}

/// Takes a socket out of the hub, releases its slots, and keeps its recovery state if it may return.
pub(super) fn forget(connection: &Connection, socket: &str, may_return: bool) {
    if let Some(member) = remove(connection, socket) {
        connection.services.recovery.forget(&member, may_return);
    }
}

/// Takes a socket out of the hub, and releases its slots.
fn remove(connection: &Connection, socket: &str) -> Option<Member> {
    let services = &connection.services;
    let member = services.hub.leave(socket)?;
    services.admission.quotas.release(&member.owner.user_id, &connection.peer, &member.entrance);
    services.metrics.connections.dec();
    Some(member)
}

fn begin(connection: &Connection, parting: &Parting) {
    let (services, outbound) = (&connection.services, &connection.outbound);
    let Parting { ending, farewell, sockets, .. } = parting;
    for (_, socket) in sockets {
        match ending {
            // The recovery state belongs to the socket that took over.
            Ending::TakenOver => drop(remove(connection, socket)),
            _ => forget(connection, socket, ending.may_return()),
        }
    }
    let Farewell { notice, last, backlog, afterwards } = *farewell;
    let notices = sockets.iter().flat_map(|(kind, _)| last_frames(connection, *kind, notice));
    let frames = notices.chain(last_frame(last, *ending));
    match (backlog, afterwards) {
        (Backlog::Discard, _) => {
            let dropped = outbound.finish_at_once(frames);
            let reason = if *ending == Ending::Slow { Dropped::Slow } else { Dropped::ConnectionLost };
            services.metrics.dropped(reason, dropped);
        }
        (Backlog::Deliver, Afterwards::AwaitClose(_)) => outbound.say(frames),
        (Backlog::Deliver, _) => outbound.finish(frames),
    }
    if afterwards == Afterwards::Remove {
        services.sessions.remove(&connection.id);
    }
    services.metrics.disconnected(*ending);
    report(parting);
}

/// Logs the end of a connection. Logs only samples of unauthorized connections, because strangers can open any number
/// of them.
fn report(parting: &Parting) {
    let left_out = if parting.was_authorized { Some(0) } else { ENDED_UNAUTHORIZED.admit() };
    let Some(left_out) = left_out else { return };
    let (code, reason) = (parting.ending.code(), parting.ending.reason());
    let (plain, sockets) = (parting.is_plain, parting.sockets.len());
    tracing::info!(code, reason, plain, sockets, left_out, "connection ended");
}

fn last_frames(connection: &Connection, kind: NamespaceKind, notice: LastNotice) -> Vec<Frame> {
    let now = connection.services.clock.now();
    match notice {
        LastNotice::None => Vec::new(),
        LastNotice::Revoked(reason) => {
            let notice = Notice::SessionRevoked { reason }.frame(kind, None, now);
            let disconnect = kind.namespace().map(|namespace| Frame::text(socketio::disconnect(namespace)));
            std::iter::once(notice).chain(disconnect).collect()
        }
        LastNotice::Draining => {
            vec![Notice::ServerDraining { reconnect_after_ms: 0 }.frame(kind, None, now)]
        }
    }
}

fn last_frame(last: LastFrame, ending: Ending) -> Option<Frame> {
    match last {
        LastFrame::None => None,
        LastFrame::Noop => Some(Packet::Noop.frame()),
        LastFrame::ClosePacket => Some(Packet::Close.frame()),
        LastFrame::CloseFrame => Some(Frame::close(ending.code(), ending.reason())),
        LastFrame::Confirmation => Some(Frame::normal_close()),
    }
}
