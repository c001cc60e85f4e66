use std::sync::Arc;
use std::time::Duration;

use contracts::events::auth::EndReason;
use smallvec::SmallVec;

use crate::protocol::{Ending, NamespaceKind};

/// Time that the last packets wait for the GET that fetches them.
const LINGER: Duration = Duration::from_secs(30);
/// Time in which a client may close by itself after a DISCONNECT. Some clients read packets on one thread and the
/// close on another. They could see the close first, take it for a broken connection, and reconnect.
const GOODBYE: Duration = Duration::from_millis(50);

/// The transport of a connection that closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Polling,
    /// Socket.IO on a WebSocket.
    WebSocket,
    /// `/ws`.
    Plain,
}

/// The last steps of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Farewell {
    /// Goes to each socket.
    pub notice: LastNotice,
    /// Goes to the connection.
    pub last: LastFrame,
    pub backlog: Backlog,
    pub afterwards: Afterwards,
}

/// The last message of a socket. Only a revoked socket gets a DISCONNECT: a stock client does not reconnect after
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastNotice {
    None,
    /// `session.revoked`, and a DISCONNECT on Socket.IO.
    Revoked(EndReason),
    /// `server.draining`.
    Draining,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastFrame {
    None,
    /// Ends the waiting GET.
    Noop,
    /// The close packet of Engine.IO.
    ClosePacket,
    /// A WebSocket close frame, with the code and the reason of the ending.
    CloseFrame,
    /// A WebSocket close frame that confirms the one of the client.
    Confirmation,
}

/// The frames that are queued when a connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backlog {
    Deliver,
    /// The client has disconnected, or reads too slowly to be waited for.
    Discard,
}

/// The connection after its last frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// The session is removed at once.
    Remove,
    /// The session stays known for that time, so that a later GET fetches the last packets.
    Linger(Duration),
    /// The client may close by itself for that time; then the close frame follows.
    AwaitClose(Duration),
}

/// A step of a close.
#[derive(Debug)]
pub(crate) enum Closing {
    Begin(Box<Parting>),
    /// The client closes a connection that is closing already.
    Confirm,
    /// The time of [`Afterwards`] has passed.
    Finish(Ending),
}

/// A connection that begins to close.
#[derive(Debug)]
pub(crate) struct Parting {
    pub ending: Ending,
    pub farewell: Farewell,
    pub sockets: SmallVec<[(NamespaceKind, Arc<str>); 1]>,
    pub was_authorized: bool,
    pub is_plain: bool,
}

/// A socket that leaves.
#[derive(Debug)]
pub(crate) struct Departure {
    pub kind: NamespaceKind,
    pub socket: Arc<str>,
    /// Whether the client may resume as this socket.
    pub may_return: bool,
    pub notice: LastNotice,
}

impl LastNotice {
    pub(crate) fn of(ending: Ending) -> Self {
        match ending {
            Ending::Revoked(reason) => Self::Revoked(reason),
            Ending::Draining => Self::Draining,
            _ => Self::None,
        }
    }
}

impl Farewell {
    /// Returns the last steps for each ending and transport. A revoked socket gets no close packet: a stock client
    /// closes by itself after a DISCONNECT. On polling, it would handle the close packet before the DISCONNECT in the
    /// same response, and reconnect. The session of a client that was never authorized is removed at once, so only a
    /// GET that is already waiting gets its last packets.
    pub(crate) fn of(ending: Ending, carrier: Carrier, was_authorized: bool) -> Self {
        use Afterwards::{AwaitClose, Linger, Remove};
        use Backlog::{Deliver, Discard};
        use Carrier::{Plain, Polling, WebSocket};
        let (last, backlog, afterwards) = match (ending, carrier) {
            (Ending::Left, Polling) => (LastFrame::Noop, Discard, Remove),
            (Ending::Left, WebSocket | Plain) => (LastFrame::Confirmation, Discard, Remove),
            (Ending::Lost | Ending::Silent, Polling) => (LastFrame::ClosePacket, Discard, Remove),
            (Ending::Lost | Ending::Silent, WebSocket | Plain) => (LastFrame::None, Discard, Remove),
            (Ending::Slow, Polling) => (LastFrame::None, Discard, Linger(LINGER)),
            (Ending::Slow, WebSocket | Plain) => (LastFrame::CloseFrame, Discard, Remove),
            (Ending::Revoked(_), Polling) => (LastFrame::None, Deliver, Linger(LINGER)),
            (Ending::Revoked(_), WebSocket) => (LastFrame::None, Deliver, AwaitClose(GOODBYE)),
            // The protocol requires that a session that breaks the protocol is removed at once.
            (Ending::BadMessage, Polling) => (LastFrame::ClosePacket, Deliver, Remove),
            (_, Polling) => (LastFrame::ClosePacket, Deliver, Linger(LINGER)),
            (_, WebSocket | Plain) => (LastFrame::CloseFrame, Deliver, Remove),
        };
        let afterwards = match afterwards {
            Linger(_) if !was_authorized => Remove,
            afterwards => afterwards,
        };
        Self { notice: LastNotice::of(ending), last, backlog, afterwards }
    }
}
