use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{Claims, Clock};
use serde_json::json;

use super::timers::Key;
use super::{Ended, Event, Form};
use crate::connection::Connection;
use crate::gateway::random_id;
use crate::outbound::Pushed;

/// How long before its expiry a token's owner is told.
const WARNING: TimeDelta = TimeDelta::minutes(5);

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
    /// Events that came while it is given what it missed before them.
    pub held: Option<Vec<Arc<Event>>>,
    pub(super) last_event: u64,
    pub(super) timer: Option<Key<DateTime<Utc>>>,
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
            held: None,
            last_event: 0,
            timer: None,
        }
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.claims.exp, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// When something is to be done about the token: the warning, then the end.
    pub(super) fn next_due(&self) -> DateTime<Utc> {
        if self.warned { self.expires_at() } else { self.expires_at() - WARNING }
    }

    /// Tells the owner that the token expires soon.
    pub fn warn(&mut self, clock: &Clock) {
        self.warned = true;
        let remaining = (self.expires_at() - clock.now()).num_seconds();
        let payload = json!({ "expiresAt": self.expires_at(), "secondsRemaining": remaining });
        self.connection.outbound.push(self.form.notice("token.expiring", payload, None, clock));
    }

    /// Queues an event; the [first](Pushed::First) one of a queue is still to be written.
    pub(super) fn give(&mut self, event: &Arc<Event>) -> Pushed {
        if let Some(held) = &mut self.held {
            held.push(Arc::clone(event));
            return Pushed::Queued;
        }
        match event.frame(self.form) {
            Some(frame) => self.connection.outbound.queue(frame.clone()),
            None => Pushed::Closed,
        }
    }

    pub(super) fn as_ended(&self) -> Ended {
        Ended { connection: Arc::clone(&self.connection), socket: Arc::clone(&self.id) }
    }
}
