use std::sync::Arc;

use backplane::Position;
use serde_json::{Map, Value};
use smallvec::{SmallVec, smallvec};
use tokio::time::Instant;

use super::closing::{Closing, Departure};
use super::reply::Reply;
use crate::protocol::{Frame, NamespaceKind};

/// The effects of one input, in order. A heartbeat has two at most, which need no allocation.
pub(crate) type Effects = SmallVec<[Effect; 2]>;

/// An action that the state of a client asks of its transport.
#[derive(Debug)]
pub(crate) enum Effect {
    Send(Frame),
    /// A step of the move from polling to a WebSocket.
    Upgrade(UpgradeStep),
    /// A socket, a message or a new token asks to be admitted.
    Admit(Box<Candidate>),
    /// A socket enters a room.
    Join(Box<RoomRequest>),
    /// A socket leaves a room.
    LeaveRoom(Box<RoomRequest>),
    /// A socket leaves the connection, which stays.
    Leave(Departure),
    /// A socket receives events of the log from a position on.
    Resume(Box<Resumption>),
    /// The timers run no later than at that time.
    Arm(Instant),
    Close(Closing),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpgradeStep {
    /// The WebSocket gets `3probe`, and a noop releases the waiting GET.
    Probed,
    /// The WebSocket carries everything from here on.
    Complete,
    /// Polling continues without the WebSocket.
    Abandon,
}

/// A client's request that admission decides on.
#[derive(Debug)]
pub(crate) enum Candidate {
    Socket {
        kind: NamespaceKind,
        credentials: Credentials,
        /// Whether the connection has used up its free joins, so that this one counts like a message.
        is_repeated: bool,
        reply: Reply,
    },
    Message(ClientRequest),
    /// A new token for an admitted socket.
    Token {
        socket: Arc<str>,
        token: String,
        reply: Reply,
    },
}

/// The credentials of a socket that asks to be let in.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// The `auth` of a `CONNECT` packet. The query and the header of the handshake may have a token, too.
    Packet(Map<String, Value>),
    Token(String),
}

/// A request of an admitted socket.
#[derive(Debug)]
pub(crate) struct ClientRequest {
    pub kind: NamespaceKind,
    pub socket: Arc<str>,
    /// The name of the message, for warnings.
    pub name: String,
    pub action: RequestAction,
    pub reply: Reply,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RequestAction {
    Join {
        room: String,
    },
    Leave {
        room: String,
    },
    Reauth {
        token: String,
    },
    /// `is_first`: the client of `/ws` has sent no other message since it was let in.
    Resume {
        from: ResumeFrom,
        is_first: bool,
    },
    Ping,
    /// An `auth` message from a socket that is already authorized.
    Auth,
    Unknown,
}

/// The place from which a client of `/ws` resumes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ResumeFrom {
    /// The position of the last event seen, or of a list that was read.
    pub after: Position,
    /// The socket that the client replaces, whose rooms it gets.
    pub replaced: Option<String>,
    /// More rooms whose events the client gets.
    pub rooms: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct RoomRequest {
    pub socket: Arc<str>,
    pub room: String,
    pub reply: Reply,
}

/// The events of the log that a socket receives next.
#[derive(Debug)]
pub(crate) enum Resumption {
    /// Live delivery starts after a position.
    Live { kind: NamespaceKind, socket: Arc<str>, from: Position },
    /// A client of `/ws` asks for the events it missed.
    Missed { socket: Arc<str>, from: ResumeFrom, reply: Reply },
}

/// The effects of a request that has to be admitted.
pub(super) fn admit(candidate: Candidate) -> Effects {
    smallvec![Effect::Admit(candidate.into())]
}
