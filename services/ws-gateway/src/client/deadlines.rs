use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::engineio::Heartbeat;

/// The times that the configuration gives a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
    pub handshake: Duration,
}

/// The deadlines of a connection that is open.
#[derive(Debug)]
pub(super) struct Deadlines {
    pub heartbeat: Heartbeat,
    /// A client without a socket must be authorized by then; `None` while it has one.
    handshake: Option<Instant>,
    handshake_limit: Duration,
    /// A WebSocket that probed must have taken over by then.
    pub upgrade: Option<Instant>,
    /// The time for which the timer is armed.
    armed: Option<Instant>,
}

impl Deadlines {
    pub(super) fn new(timing: &Timing, now: Instant) -> Self {
        Self {
            heartbeat: Heartbeat::new(timing.ping_interval, timing.ping_timeout, now),
            handshake: Some(now + timing.handshake),
            handshake_limit: timing.handshake,
            upgrade: None,
            armed: None,
        }
    }

    /// Starts the time limit for the handshake again, for a client that has no socket left.
    pub(super) fn begin_handshake(&mut self, now: Instant) {
        self.handshake = Some(now + self.handshake_limit);
    }

    pub(super) fn end_handshake(&mut self) {
        self.handshake = None;
    }

    pub(super) fn is_handshake_over(&self, now: Instant) -> bool {
        self.handshake.is_some_and(|at| at <= now)
    }

    pub(super) fn next(&self) -> Instant {
        let others = [self.handshake, self.upgrade].into_iter().flatten();
        others.fold(self.heartbeat.deadline(), Instant::min)
    }

    /// Returns whether the caller must arm the timer for this time. False if the timer is armed for this time or an
    /// earlier one.
    pub(super) fn arm(&mut self, at: Instant) -> bool {
        let is_sooner = self.armed.is_none_or(|armed| at < armed);
        if is_sooner {
            self.armed = Some(at);
        }
        is_sooner
    }

    /// Replaces the time for which the timer is armed, even by a later one.
    pub(super) fn rearm(&mut self, at: Instant) {
        self.armed = Some(at);
    }

    /// Disarms the timer. Returns false, and changes nothing, if the timer is armed for a later time than `now`.
    pub(super) fn fire(&mut self, now: Instant) -> bool {
        let is_due = self.armed.is_none_or(|at| at <= now);
        if is_due {
            self.armed = None;
        }
        is_due
    }
}
