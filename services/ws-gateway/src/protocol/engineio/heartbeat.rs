use std::time::Duration;

use tokio::time::Instant;

/// The server's ping and the client's pong, as a machine of two states.
///
/// Inputs: the clock ([`Heartbeat::beat`]) and a pong ([`Heartbeat::pong`]). It ends when a ping
/// stays unanswered for the timeout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    state: State,
    /// The time of the last ping to which the client responded.
    answered: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Quiet { ping_at: Instant },
    Awaiting { until: Instant },
}

/// The action that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    Nothing,
    Ping,
    Dead,
}

impl Heartbeat {
    pub(crate) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self { interval, timeout, state: State::Quiet { ping_at: now + interval }, answered: None }
    }

    /// The time of the next action.
    pub(crate) fn deadline(&self) -> Instant {
        match self.state {
            State::Quiet { ping_at } => ping_at,
            State::Awaiting { until } => until,
        }
    }

    pub(crate) fn beat(&mut self, now: Instant) -> Beat {
        if now < self.deadline() {
            return Beat::Nothing;
        }
        match self.state {
            State::Quiet { ping_at } => {
                // Counted from the time of the ping, not from now: a coarse timer must not extend the announced
                // timeout.
                self.state = State::Awaiting { until: ping_at + self.timeout };
                Beat::Ping
            }
            State::Awaiting { .. } => Beat::Dead,
        }
    }

    /// Whether the client has responded to a ping from after a time. Everything that was sent before the ping has then
    /// arrived.
    pub(crate) fn has_answered_since(&self, time: Instant) -> bool {
        self.answered.is_some_and(|ping| ping > time)
    }

    pub(crate) fn pong(&mut self, now: Instant) {
        if let State::Awaiting { until } = self.state {
            self.answered = until.checked_sub(self.timeout);
        }
        self.state = State::Quiet { ping_at: now + self.interval };
    }
}
