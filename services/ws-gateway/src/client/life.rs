use std::sync::Arc;
use std::time::Duration;

use backplane::Position;
use contracts::events::auth::EndReason;
use smallvec::{SmallVec, smallvec};
use tokio::time::Instant;

use super::closing::{Afterwards, Carrier, Closing, Departure, Farewell, LastNotice, Parting};
use super::deadlines::{Deadlines, Timing};
use super::delayed_messages::DelayedMessages;
use super::effects::{Effect, Effects, Resumption};
use crate::protocol::{Ending, NamespaceKind};

/// Time that a new client of `/ws` gets to send `resume` before live delivery starts.
const RESUME_GRACE: Duration = Duration::from_secs(1);

/// The sockets and deadlines of a connection until its end, whatever protocol the client speaks.
pub(super) struct Life {
    pub deadlines: Deadlines,
    /// The entrances of the sockets, nearly always one.
    pub sockets: SmallVec<[(NamespaceKind, Arc<str>); 1]>,
    /// Set while a client of `/ws` may still resume.
    grace: Option<Box<Grace>>,
    /// Set while messages of the client come too fast.
    delayed: Option<Box<DelayedMessages>>,
    /// Whether the connection has had a socket.
    was_authorized: bool,
    pub ended: Option<Ending>,
}

/// The time in which a client of `/ws` receives no live events of the log, because it may resume.
#[derive(Debug)]
struct Grace {
    until: Instant,
    /// The position at which the client was let in.
    from: Position,
}

impl Life {
    pub(super) fn new(timing: &Timing, now: Instant) -> Self {
        Self {
            deadlines: Deadlines::new(timing, now),
            sockets: SmallVec::new(),
            grace: None,
            delayed: None,
            was_authorized: false,
            ended: None,
        }
    }

    /// Adds a socket that is let in; `None` if the connection has ended meanwhile.
    pub(super) fn add_socket(
        &mut self,
        now: Instant,
        kind: NamespaceKind,
        socket: &Arc<str>,
        may_resume: Option<Position>,
    ) -> Option<Effects> {
        if self.ended.is_some() {
            return None;
        }
        self.sockets.push((kind, Arc::clone(socket)));
        self.deadlines.end_handshake();
        self.was_authorized = true;
        let Some(from) = may_resume else { return Some(Effects::new()) };
        let until = now + RESUME_GRACE;
        self.grace = Some(Grace { until, from }.into());
        Some(self.arm(until))
    }

    pub(super) fn socket_of(&self, kind: NamespaceKind) -> Option<&Arc<str>> {
        self.sockets.iter().find(|(own, _)| *own == kind).map(|(_, socket)| socket)
    }

    /// Removes the socket of a namespace that the client left. If it was the last one, the handshake limit starts
    /// again.
    pub(super) fn leave(&mut self, now: Instant, left: Option<NamespaceKind>) -> Effects {
        let index = self.sockets.iter().position(|(kind, _)| Some(*kind) == left);
        let Some(index) = index else { return Effects::new() };
        let (kind, socket) = self.sockets.swap_remove(index);
        let mut effects = if self.sockets.is_empty() && self.ended.is_none() {
            self.deadlines.begin_handshake(now);
            self.arm_next()
        } else {
            Effects::new()
        };
        effects.push(Effect::Leave(Departure { kind, socket, may_return: false, notice: LastNotice::None }));
        effects
    }

    /// Removes a socket whose session has ended, or closes the connection if no other socket is left. Also returns
    /// the namespace kind of the socket if the connection stays open.
    pub(super) fn revoke(
        &mut self,
        now: Instant,
        socket: &str,
        reason: EndReason,
        carrier: Carrier,
    ) -> (Effects, Option<NamespaceKind>) {
        let Some(index) = self.sockets.iter().position(|(_, own)| **own == *socket) else {
            return (Effects::new(), None);
        };
        let ending = Ending::Revoked(reason);
        if self.sockets.len() == 1 {
            return (self.close(now, ending, carrier), None);
        }
        let (kind, socket) = self.sockets.swap_remove(index);
        let notice = LastNotice::of(ending);
        let departure = Departure { kind, socket, may_return: ending.may_return(), notice };
        (smallvec![Effect::Leave(departure)], Some(kind))
    }

    /// Makes a socket whose queue was full read the events after `from` in the log.
    pub(super) fn fall_behind(&mut self, socket: &str, from: Position) -> Effects {
        match self.sockets.iter().find(|(_, own)| **own == *socket) {
            Some((kind, socket)) => live(*kind, socket, from),
            None => Effects::new(),
        }
    }

    /// Whether the client may still resume.
    pub(super) fn is_in_grace(&self) -> bool {
        self.grace.is_some()
    }

    /// Ends the grace period of a client that resumes.
    pub(super) fn skip_grace(&mut self) {
        self.grace = None;
    }

    /// Starts live delivery of the log for a client of `/ws` that did not resume.
    pub(super) fn end_grace(&mut self) -> Effects {
        match (self.grace.take(), self.sockets.first()) {
            (Some(grace), Some((kind, socket))) => live(*kind, socket, grace.from),
            _ => Effects::new(),
        }
    }

    pub(super) fn is_grace_over(&self, now: Instant) -> bool {
        self.grace.as_ref().is_some_and(|grace| grace.until <= now)
    }

    /// Adds a message that has to wait. Returns true if there were too many in a row.
    pub(super) fn add_delayed_message(&mut self, now: Instant) -> bool {
        let delayed = DelayedMessages::add(self.delayed.as_deref(), now);
        let is_too_much = delayed.is_too_much();
        self.delayed = Some(delayed.into());
        is_too_much
    }

    /// Closes the connection with all its sockets.
    pub(super) fn close(&mut self, now: Instant, ending: Ending, carrier: Carrier) -> Effects {
        if self.ended.is_some() {
            return smallvec![Effect::Close(Closing::Confirm)];
        }
        self.ended = Some(ending);
        let farewell = Farewell::of(ending, carrier, self.was_authorized);
        let parting = Parting {
            ending,
            farewell,
            sockets: std::mem::take(&mut self.sockets),
            was_authorized: self.was_authorized,
            is_plain: carrier == Carrier::Plain,
        };
        let mut effects: Effects = smallvec![Effect::Close(Closing::Begin(parting.into()))];
        if let Afterwards::Linger(time) | Afterwards::AwaitClose(time) = farewell.afterwards {
            self.deadlines.rearm(now + time);
            effects.push(Effect::Arm(now + time));
        }
        effects
    }

    /// Notes that the client responded. The timer is armed anew, because the next ping may be due before the deadline
    /// of the pong.
    pub(super) fn prolong(&mut self, now: Instant) -> Effects {
        self.deadlines.heartbeat.pong(now);
        self.arm_next()
    }

    /// Arms the timer for the next deadline.
    pub(super) fn arm_next(&mut self) -> Effects {
        let next = self.deadlines.next();
        self.arm(self.grace.as_ref().map_or(next, |grace| next.min(grace.until)))
    }

    pub(super) fn arm(&mut self, at: Instant) -> Effects {
        if self.ended.is_none() && self.deadlines.arm(at) {
            smallvec![Effect::Arm(at)]
        } else {
            Effects::new()
        }
    }
}

fn live(kind: NamespaceKind, socket: &Arc<str>, from: Position) -> Effects {
    smallvec![Effect::Resume(Resumption::Live { kind, socket: Arc::clone(socket), from }.into())]
}
