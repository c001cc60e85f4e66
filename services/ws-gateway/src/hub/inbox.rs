use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use backplane::{Position, ResetReason};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};

use super::members::Hub;
use super::subscriber::Subscriber;
use crate::catalogue::Event;
use crate::protocol::Unrecoverable;

/// Precision of pings and expiries. Coarse, because a worker has many of them.
const TICK: Duration = Duration::from_millis(100);
const SHORTEST_TICK: Duration = Duration::from_millis(2);

/// Number of items that a worker may lag behind before the relay waits for it.
pub(super) const CAPACITY: usize = 1_024;
/// Maximum number of recipients of an event that is delivered without waking the worker.
const FEW: usize = 16;
/// Number of items that are queued before anything is written: items that arrive together are sent together.
const BATCH: usize = 256;
/// Number of sockets that are written to before other tasks of the thread run.
const TURN: usize = 64;

/// A hub, and the queue of its thread.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub hub: Arc<Hub>,
    pub items: mpsc::Sender<Item>,
}

/// An item of the relay for a hub.
#[derive(Clone)]
pub(crate) enum Item {
    Event(Arc<Event>),
    Reset {
        position: Position,
        reason: ResetReason,
    },
    /// Messages that are not logged were lost.
    Lost,
}

impl Inbox {
    /// Delivers an item after all earlier ones. Up to `FEW` recipients are served inline: the event is written
    /// at once, or left to the tasks of the sockets when `more` items follow. An event for many is left to the
    /// hub's own thread, which is woken once for all of them.
    pub(crate) async fn send(&self, item: Item, more: bool) {
        if let Item::Event(event) = &item
            && self.hub.waiting.load(Ordering::Acquire) == 0
            && let Some(idle) = self.hub.deliver_to_few(event, FEW)
        {
            for subscriber in idle {
                if more {
                    subscriber.outbound().wake();
                } else {
                    subscriber.outbound().write_now();
                }
            }
            return;
        }
        self.hub.waiting.fetch_add(1, Ordering::Relaxed);
        // An error means that the worker has ended.
        let _ = self.items.send(item).await;
    }
}

/// Writes the queues of the connections.
async fn write(idle: &mut Vec<Arc<dyn Subscriber>>) {
    for (number, subscriber) in idle.drain(..).enumerate() {
        if number > 0 && number.is_multiple_of(TURN) {
            yield_now().await;
        }
        subscriber.outbound().write_now();
    }
}

impl Hub {
    /// Serves the hub on its own worker thread.
    ///
    /// Inputs: items of the relay, the clock. Ends when the relay has ended. `tick` is the wanted precision of pings
    /// and expiries.
    pub(crate) async fn run(self: Arc<Self>, tick: Duration, mut items: mpsc::Receiver<Item>) {
        let mut ticks = interval(tick.clamp(SHORTEST_TICK, TICK));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut batch, mut idle) = (Vec::new(), Vec::new());
        loop {
            tokio::select! {
                // The timers come first, so that items without end cannot hold up the pings.
                biased;
                _ = ticks.tick() => self.run_timers(),
                count = items.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    for item in batch.drain(..) {
                        match item {
                            Item::Event(event) => idle.append(&mut self.deliver(&event)),
                            Item::Reset { position, reason } => self.reset(position, reason),
                            Item::Lost => self.resync(Unrecoverable::Overflow, |_| {}),
                        }
                    }
                    write(&mut idle).await;
                    self.waiting.fetch_sub(count, Ordering::Release);
                }
            }
        }
    }
}
