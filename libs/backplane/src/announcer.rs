//! The queues between the drivers and the feeds of the process. Each feed has its own.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, Weak};

use contracts::events::matches_logged_pattern;
use tokio::sync::Notify;

use crate::Message;
use crate::locks::{Mutex, MutexGuard};
use crate::message::Heard;

/// Usual limit of one queue in bytes. Redis itself disconnects a subscriber with 32 MB of output waiting.
const LIMIT: usize = 64 * 1024 * 1024;

/// A message from the drivers to the feeds of their process.
#[derive(Clone, Debug)]
pub(crate) enum Signal {
    Heard(Arc<Heard>),
    /// Announcements are received again; some may have been missed.
    Connected,
    /// Marks were stored without an event.
    MarksChanged,
}

/// One item taken from the queue of a feed.
pub(crate) enum Taken {
    Signal(Signal),
    /// Events of the log did not fit into the queue.
    Behind,
    /// This many messages without a position did not fit, and are lost.
    Lost(u64),
}

/// The queue of one feed.
#[derive(Default)]
pub(crate) struct Queue {
    hears_everything: bool,
    limit: usize,
    state: Mutex<State>,
    more: Notify,
}

#[derive(Default)]
struct State {
    signals: VecDeque<Signal>,
    bytes: usize,
    is_behind: bool,
    lost: u64,
}

impl Queue {
    fn push(&self, signal: &Signal) {
        match signal {
            Signal::Heard(heard) if !self.hears_everything && !matches_logged_pattern(&heard.channel) => {
                return;
            }
            _ => self.lock().add(signal, self.limit),
        }
        self.more.notify_one();
    }

    /// Returns the next item. Cancel-safe.
    pub(crate) async fn take(&self) -> Taken {
        loop {
            if let Some(taken) = self.try_take() {
                return taken;
            }
            self.more.notified().await;
        }
    }

    fn try_take(&self) -> Option<Taken> {
        let mut state = self.lock();
        if let Some(signal) = state.signals.pop_front() {
            if let Signal::Heard(heard) = &signal {
                state.bytes -= heard.size;
            }
            return Some(Taken::Signal(signal));
        }
        if std::mem::take(&mut state.is_behind) {
            return Some(Taken::Behind);
        }
        let lost = std::mem::take(&mut state.lost);
        (lost > 0).then_some(Taken::Lost(lost))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().signals.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, signal: &Signal, limit: usize) {
        if let Signal::Heard(heard) = signal {
            if self.bytes + heard.size > limit {
                if heard.is_in_log() {
                    self.is_behind = true;
                } else {
                    self.lost += 1;
                }
                return;
            }
            self.bytes += heard.size;
        }
        self.signals.push_back(signal.clone());
    }
}

/// Passes what the drivers receive to the feeds of the process. Cheap to clone.
#[derive(Clone)]
pub struct Announcer {
    limit: usize,
    queues: Arc<Mutex<Vec<Weak<Queue>>>>,
}

impl Default for Announcer {
    fn default() -> Self {
        Self::with_limit(LIMIT)
    }
}

impl Announcer {
    /// Creates an announcer with at most `limit` bytes in the queue of each feed.
    pub fn with_limit(limit: usize) -> Self {
        Self { limit, queues: Arc::default() }
    }

    /// Announces an event that the caller has just appended to the log, at its position.
    pub fn appended(&self, message: Arc<Message>) {
        self.announce(&Signal::Heard(Heard::appended(message).into()));
    }

    /// Announces a body as received from a channel. The body may carry a proof of its position, made with
    /// `secret`.
    pub fn received(&self, channel: String, body: String, secret: Option<Arc<str>>) {
        self.announce(&Signal::Heard(Heard::new(channel, body, secret).into()));
    }

    /// Announces that announcements arrive again, and that some may have been missed.
    pub fn reconnected(&self) {
        self.announce(&Signal::Connected);
    }

    /// Announces that marks were stored without an event.
    pub fn marks_changed(&self) {
        self.announce(&Signal::MarksChanged);
    }

    pub(crate) fn subscribe(&self, hears_everything: bool) -> Arc<Queue> {
        let queue = Arc::new(Queue { hears_everything, limit: self.limit, ..Queue::default() });
        self.lock().push(Arc::downgrade(&queue));
        queue
    }

    fn announce(&self, signal: &Signal) {
        self.lock().retain(|queue| match queue.upgrade() {
            Some(queue) => {
                queue.push(signal);
                true
            }
            None => false,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
