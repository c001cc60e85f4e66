use std::sync::Arc;

use backplane::Position;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Claims, Clock};
use tokio::time::Instant;

use super::owner::Owner;
use super::subscriber::{SocketRef, Subscriber};
use super::timers::TimerKey;
use crate::catalogue::Event;
use crate::outbound::Pushed;
use crate::protocol::{NamespaceKind, Notice};
use crate::random_id::random_id;

/// Time between the warning and the expiry of a token.
const WARNING: TimeDelta = TimeDelta::minutes(5);
/// Limit of the events that wait for a socket that is not open yet.
const MAX_WAITING_BYTES: usize = 256 * 1024;

/// An authorized socket: a namespace of a Socket.IO connection, or a connection of `/ws`.
pub(crate) struct Member {
    /// The socket id that clients know. A stock client that resumes keeps it, so that two entrances may have the
    /// same one while the old connection still closes.
    pub id: Arc<str>,
    /// Identifies this entrance of the socket in every call of the hub, and holds its quota slots. Begins with the
    /// socket id, and equals it until a stock client resumes.
    pub entrance: Arc<str>,
    pub kind: NamespaceKind,
    pub owner: Owner,
    pub subscriber: Arc<dyn Subscriber>,
    pub connected_at: DateTime<Utc>,
    /// The secret part of the private id with which a stock client may resume.
    pub secret: Arc<str>,
    pub rooms: Vec<Membership>,
    pub(super) past: Past,
    /// Whether the client was warned that the token expires soon.
    pub warned: bool,
    pub hears: Hears,
    /// Whether events that it missed are being delivered.
    pub(super) catches_up: bool,
    pub(super) last_event: u64,
    pub(super) timer: Option<TimerKey<DateTime<Utc>>>,
}

/// The events that a socket receives live. Events of the log that are held back take no room in the queue: the socket
/// reads them from the log when it catches up.
#[derive(Debug, Default)]
pub(crate) enum Hears {
    #[default]
    Everything,
    /// Only events that are not in the log.
    Unlogged,
    /// As `Unlogged`, after everything up to a position: the queue was full.
    Behind(Position),
    /// Nothing before the socket is open; events that are not in the log wait.
    Nothing(Box<WaitingEvents>),
}

/// Events that are not in the log, for a socket that is not open yet.
#[derive(Debug, Default)]
pub(crate) struct WaitingEvents {
    pub(super) events: Vec<Arc<Event>>,
    bytes: usize,
    /// Number of events that did not fit.
    pub(super) lost: u64,
}

impl WaitingEvents {
    fn add(&mut self, event: &Arc<Event>) {
        if self.bytes + event.size() > MAX_WAITING_BYTES {
            self.lost += 1;
        } else {
            self.bytes += event.size();
            self.events.push(Arc::clone(event));
        }
    }
}

/// A room of a socket, the socket's slot in the room, and the last event before the socket entered.
#[derive(Clone)]
pub(crate) struct Membership {
    pub room: Arc<str>,
    pub slot: usize,
    pub since: u64,
}

impl Membership {
    pub(super) fn heard(&self, until: u64) -> Heard {
        Heard { room: Arc::clone(&self.room), since: self.since, until }
    }
}

/// The events that a socket received in rooms that it has left: a client that resumes may get them by another room.
#[derive(Debug, Default)]
pub(super) enum Past {
    /// It has left no room in which it may have received events.
    #[default]
    None,
    Rooms(Vec<Heard>),
    /// It left rooms while it caught up, or very many.
    Unknown,
}

/// A room whose events a socket received live, after one position up to another.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub room: Arc<str>,
    pub since: u64,
    pub until: u64,
}

/// Limit of the rooms that a socket has left.
const MAX_PAST: usize = 16;

impl Past {
    /// Notes a room that the socket leaves.
    pub(super) fn add(&mut self, heard: Heard) {
        match self {
            Self::None => *self = Self::Rooms(vec![heard]),
            Self::Rooms(rooms) if rooms.len() < MAX_PAST => rooms.push(heard),
            Self::Rooms(_) => *self = Self::Unknown,
            Self::Unknown => {}
        }
    }
}

impl Member {
    pub(crate) fn new(
        id: Arc<str>,
        kind: NamespaceKind,
        claims: &Claims,
        subscriber: Arc<dyn Subscriber>,
        clock: &Clock,
    ) -> Self {
        Self {
            entrance: Arc::clone(&id),
            id,
            kind,
            owner: Owner::of(claims),
            subscriber,
            connected_at: clock.now(),
            secret: random_id(),
            rooms: Vec::new(),
            past: Past::default(),
            warned: false,
            hears: Hears::Everything,
            catches_up: false,
            last_event: 0,
            timer: None,
        }
    }

    pub(crate) fn is_in(&self, room: &str) -> bool {
        self.rooms.iter().any(|own| &*own.room == room)
    }

    /// The time of the next action for the token: the warning, then the close.
    pub(super) fn next_due(&self) -> DateTime<Utc> {
        if self.warned { self.owner.closes_at() } else { self.owner.expires_at() - WARNING }
    }

    /// Warns the client that the token expires soon.
    pub(crate) fn warn(&mut self, clock: &Clock) {
        self.warned = true;
        let remaining = (self.owner.expires_at() - clock.now()).num_seconds();
        let notice =
            Notice::TokenExpiring { expires_at: self.owner.expires_at(), seconds_remaining: remaining };
        self.subscriber.outbound().push_response(notice.frame(self.kind, None, clock.now()));
    }

    /// Queues an event; the [first](Pushed::First) one of a queue is still to be written. Returns `None` if the
    /// socket does not receive the event, or not now.
    pub(super) fn deliver(&mut self, event: &Arc<Event>, now: Instant) -> Option<Pushed> {
        match &mut self.hears {
            Hears::Everything => {}
            Hears::Unlogged | Hears::Behind(_) | Hears::Nothing(_) if event.position.is_some() => {
                return None;
            }
            Hears::Unlogged | Hears::Behind(_) => {}
            Hears::Nothing(waiting) => {
                waiting.add(event);
                return None;
            }
        }
        Some(self.subscriber.outbound().queue(event.frame(self.kind)?.clone(), now))
    }

    pub(super) fn socket_ref(&self) -> SocketRef {
        SocketRef { subscriber: Arc::clone(&self.subscriber), socket: Arc::clone(&self.entrance) }
    }

    pub(super) fn replace_claims(&mut self, claims: &Claims) {
        self.owner = Owner::of(claims);
        self.warned = false;
    }
}
