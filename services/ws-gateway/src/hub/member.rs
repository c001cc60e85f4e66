use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Claims, Clock};
use identity::LEEWAY;
use serde_json::json;

use super::timers::Key;
use super::{Ended, Event, Form};
use crate::connection::Connection;
use crate::gateway::random_id;
use crate::outbound::Pushed;

/// How long before its expiry a token's owner is told.
const WARNING: TimeDelta = TimeDelta::minutes(5);
/// Limit of the events that wait for a socket that is not open yet.
const MAX_WAITING_BYTES: usize = 256 * 1024;

/// An authorised socket: a namespace of a Socket.IO connection, or a connection of `/ws`.
pub struct Member {
    /// What clients know as their socket's id.
    pub id: Arc<str>,
    pub form: Form,
    pub claims: Claims,
    pub connection: Arc<Connection>,
    pub connected_at: DateTime<Utc>,
    /// Part of the private id under which a stock client may come back.
    pub secret: Arc<str>,
    pub rooms: Vec<Membership>,
    /// Whether it was told that its token expires soon.
    pub warned: bool,
    pub hears: Hears,
    pub(super) last_event: u64,
    pub(super) timer: Option<Key<DateTime<Utc>>>,
}

/// Which events a socket is given at once. An event of the log that it is not given now is read from
/// there when the socket has caught up: nothing that the gateway holds back counts as unread.
#[derive(Debug, Default)]
pub enum Hears {
    #[default]
    Everything,
    /// Only events that are not in the log.
    Unlogged,
    /// Nothing before the socket is open; events that are not in the log wait.
    Nothing(Box<Waiting>),
}

/// Events that are not in the log, for a socket that is not open yet.
#[derive(Debug, Default)]
pub struct Waiting {
    pub(super) events: Vec<Arc<Event>>,
    bytes: usize,
    /// Number of events without room.
    pub(super) lost: u64,
}

impl Waiting {
    fn add(&mut self, event: &Arc<Event>) {
        if self.bytes + event.size() > MAX_WAITING_BYTES {
            self.lost += 1;
        } else {
            self.bytes += event.size();
            self.events.push(Arc::clone(event));
        }
    }
}

/// A room that a socket is in, its place among those who are, and the last event before it came in.
#[derive(Clone)]
pub struct Membership {
    pub room: Arc<str>,
    pub place: usize,
    pub since: u64,
}

impl Member {
    pub fn new(id: Arc<str>, form: Form, claims: Claims, connection: Arc<Connection>, clock: &Clock) -> Self {
        Self {
            id,
            form,
            claims,
            connection,
            connected_at: clock.now(),
            secret: random_id(),
            rooms: Vec::new(),
            warned: false,
            hears: Hears::Everything,
            last_event: 0,
            timer: None,
        }
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.claims.exp, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// When the token stops being accepted: by the same rule that let the socket in.
    pub(super) fn closes_at(&self) -> DateTime<Utc> {
        self.expires_at() + LEEWAY
    }

    /// When something is to be done about the token: the warning, then the close.
    pub(super) fn next_due(&self) -> DateTime<Utc> {
        if self.warned { self.closes_at() } else { self.expires_at() - WARNING }
    }

    /// Tells the owner that the token expires soon.
    pub fn warn(&mut self, clock: &Clock) {
        self.warned = true;
        let remaining = (self.expires_at() - clock.now()).num_seconds();
        let payload = json!({ "expiresAt": self.expires_at(), "secondsRemaining": remaining });
        self.connection.outbound.push(self.form.notice("token.expiring", payload, None, clock));
    }

    /// Queues an event; the [first](Pushed::First) one of a queue is still to be written. `None` if the
    /// socket is not given the event, or not now.
    pub(super) fn give(&mut self, event: &Arc<Event>) -> Option<Pushed> {
        match &mut self.hears {
            Hears::Everything => {}
            Hears::Unlogged | Hears::Nothing(_) if event.position.is_some() => return None,
            Hears::Unlogged => {}
            Hears::Nothing(waiting) => {
                waiting.add(event);
                return None;
            }
        }
        Some(self.connection.outbound.queue(event.frame(self.form)?.clone()))
    }

    pub(super) fn as_ended(&self) -> Ended {
        Ended { connection: Arc::clone(&self.connection), socket: Arc::clone(&self.id) }
    }
}
