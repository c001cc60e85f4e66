use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use backplane::{Position, ResetReason};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::field::Empty;

use super::{Ended, Event, Given, Hub, Member};
use crate::connection::Connection;
use crate::ending::Ending;
use crate::gateway::Gateway;
use crate::metrics::Dropped;
use crate::outbound::Pushed;
use crate::recovery::Unrecoverable;

/// How exact pings and expiries are: coarse, because they are many.
const TICK: Duration = Duration::from_millis(100);
const SHORTEST_TICK: Duration = Duration::from_millis(2);

/// To how many sockets of a worker an event is given without waking the worker for it.
const FEW: usize = 16;
/// How many items are delivered before anything is written: what comes together travels together.
const BATCH: usize = 256;
/// How many sockets are written to before others on the thread have their turn.
const TURN: usize = 64;

/// A hub, and the way to have its own thread deliver to it.
#[derive(Clone)]
pub struct Inbox {
    pub hub: Arc<Hub>,
    pub items: mpsc::Sender<Item>,
}

/// What the relay tells a hub.
#[derive(Clone)]
pub enum Item {
    Event(Arc<Event>),
    Reset {
        position: Position,
        reason: ResetReason,
    },
    /// Messages that are not logged were lost.
    Lost,
}

impl Inbox {
    /// Hands the hub an item after all earlier ones. An event for few sockets is delivered here and now,
    /// and written as well unless `more` is about to come, which their own tasks then write with it; one for
    /// many is left to the hub's own thread, which is woken once for all of them.
    pub async fn hand(&self, gateway: &Arc<Gateway>, item: Item, more: bool) {
        if let Item::Event(event) = &item
            && self.hub.waiting.load(Ordering::Acquire) == 0
            && self.hub.audience(event) <= FEW
        {
            for connection in self.hub.deliver(gateway, event) {
                match more {
                    true => connection.outbound.wake(),
                    false => connection.outbound.write_now(),
                }
            }
            return;
        }
        self.hub.waiting.fetch_add(1, Ordering::Relaxed);
        // An error means that the worker has ended.
        let _ = self.items.send(item).await;
    }
}

/// Writes what is queued on each of the connections.
async fn write(idle: &mut Vec<Arc<Connection>>) {
    for (number, connection) in idle.drain(..).enumerate() {
        if number > 0 && number.is_multiple_of(TURN) {
            yield_now().await;
        }
        connection.outbound.write_now();
    }
}

impl Hub {
    /// Serves the hub on its own worker thread.
    ///
    /// Inputs: items of the relay, the clock. Ends when the relay is gone.
    pub async fn run(self: Arc<Self>, gateway: Arc<Gateway>, mut items: mpsc::Receiver<Item>) {
        let settings = &gateway.settings;
        let exact = (settings.ping_interval() + settings.ping_timeout()) / 200;
        let mut ticks = interval(exact.clamp(SHORTEST_TICK, TICK));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut batch, mut idle) = (Vec::new(), Vec::new());
        loop {
            tokio::select! {
                count = items.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    for item in batch.drain(..) {
                        match item {
                            Item::Event(event) => idle.append(&mut self.deliver(&gateway, &event)),
                            Item::Reset { position, reason } => self.reset(&gateway, position, reason),
                            Item::Lost => self.resync(&gateway, Unrecoverable::Overflow, |_| {}),
                        }
                    }
                    write(&mut idle).await;
                    self.waiting.fetch_sub(count, Ordering::Release);
                }
                _ = ticks.tick() => self.tick(&gateway),
            }
        }
    }

    /// Puts an event into the queues of all who may see it. The connections that were idle: it is still
    /// to be written there.
    pub(super) fn deliver(&self, gateway: &Arc<Gateway>, event: &Arc<Event>) -> Vec<Arc<Connection>> {
        let _entered = event.traceparent.map(|from| {
            let span = tracing::debug_span!("deliver", trace_id = Empty, event = %event.label);
            if !span.is_disabled() {
                web::join_trace(&span, Some(from));
            }
            span.entered()
        });
        let Given { sockets, idle, slow, behind } = self.dispatch(event);
        if sockets > 0 {
            tracing::debug!(event_id = %event.envelope.event_id, sockets, "delivered");
            gateway.metrics.sent(&event.label, sockets);
            let lag = gateway.clock().now() - event.published_at();
            gateway.metrics.delivery_lag(lag);
        }
        for Ended { connection, socket } in behind {
            if let Some(at) = &event.position {
                let before = Position { epoch: Arc::clone(&at.epoch), seq: at.seq - 1 };
                connection.fall_behind(gateway, &socket, before);
            }
        }
        gateway.metrics.dropped(Dropped::Slow, slow.len() as u64);
        for connection in slow {
            connection.close(gateway, Ending::Slow);
        }
        idle
    }

    /// From here on the events follow one another again; earlier ones are lost to these sockets.
    pub(super) fn reset(&self, gateway: &Gateway, position: Position, reason: ResetReason) {
        let seq = position.seq;
        self.lock().position = Some(position);
        self.started.send_replace(true);
        if reason == ResetReason::LogLost {
            self.resync(gateway, Unrecoverable::LogLost, |member| {
                member.rooms.iter_mut().for_each(|own| own.since = seq);
            });
        }
    }

    /// Tells every socket to load everything again.
    fn resync(&self, gateway: &Gateway, reason: Unrecoverable, change: impl Fn(&mut Member)) {
        let mut slow = Vec::new();
        for (_, member) in &mut self.lock().members {
            change(member);
            let payload = json!({ "reason": reason.into_str() });
            let notice = member.form.notice("resync", payload, None, gateway.clock());
            if member.connection.outbound.push(notice) == Pushed::Full {
                slow.push(Arc::clone(&member.connection));
            }
        }
        // It would go on without knowing what it missed.
        for connection in slow {
            connection.close(gateway, Ending::Slow);
        }
    }

    fn tick(&self, gateway: &Arc<Gateway>) {
        let now = Instant::now();
        let due = self.lock().connections.due(now);
        for connection in due.iter().filter_map(std::sync::Weak::upgrade) {
            connection.tick(gateway, now);
        }
        self.expire(gateway);
    }

    /// Warns the owners of tokens that expire soon, and ends the sockets of those that have.
    fn expire(&self, gateway: &Gateway) {
        let now = gateway.clock().now();
        let mut expired = Vec::new();
        let mut inner = self.lock();
        for socket in inner.tokens.due(now) {
            let Some(&key) = inner.by_id.get(&socket) else { continue };
            let member = &mut inner.members[key];
            member.timer = None;
            if member.closes_at() <= now {
                expired.push(Arc::clone(&member.connection));
                continue;
            }
            member.warn(gateway.clock());
            let due = member.next_due();
            let timer = inner.tokens.add(due, socket);
            inner.members[key].timer = Some(timer);
        }
        drop(inner);
        for connection in expired {
            connection.close(gateway, Ending::Expired);
        }
    }
}
