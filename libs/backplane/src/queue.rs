//! The queues between the driver and the feeds of the process. Each feed has its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use contracts::events::matches_logged_pattern;
use tokio::sync::Notify;

use crate::message::Heard;

/// Limit of one queue in bytes. Redis itself disconnects a subscriber with 32 MB of output waiting.
const LIMIT: usize = 64 * 1024 * 1024;

/// A message from the driver to the feeds of its process.
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
        let mut state = self.lock();
        if let Signal::Heard(heard) = signal {
            if !self.hears_everything && !matches_logged_pattern(&heard.channel) {
                return;
            }
            if state.bytes + heard.size > LIMIT {
                if heard.is_in_log() {
                    state.is_behind = true;
                } else {
                    state.lost += 1;
                }
                return;
            }
            state.bytes += heard.size;
        }
        state.signals.push_back(signal.clone());
        drop(state);
        self.more.notify_one();
    }

    /// Returns the next item. Cancel-safe.
    pub async fn take(&self) -> Taken {
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

    pub fn is_empty(&self) -> bool {
        self.lock().signals.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The feeds of the process. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Vec<Weak<Queue>>>>);

impl Listeners {
    pub fn add(&self, hears_everything: bool) -> Arc<Queue> {
        let queue = Arc::new(Queue { hears_everything, ..Queue::default() });
        self.lock().push(Arc::downgrade(&queue));
        queue
    }

    pub fn tell(&self, signal: &Signal) {
        self.lock().retain(|queue| match queue.upgrade() {
            Some(queue) => {
                queue.push(signal);
                true
            }
            None => false,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Queue>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
