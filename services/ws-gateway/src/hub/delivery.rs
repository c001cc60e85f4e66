use std::sync::{Arc, Weak};

use backplane::{Position, ResetReason};
use smallvec::SmallVec;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::span::EnteredSpan;

use super::member::{Hears, Member, Past};
use super::members::{Hub, Inner};
use super::subscriber::{SocketRef, Subscriber};
use crate::catalogue::Event;
use crate::metrics::Dropped;
use crate::outbound::Pushed;
use crate::protocol::{Ending, Notice, Unrecoverable};

/// The result of queueing an event.
#[derive(Default)]
struct Outcome {
    /// Number of sockets that received the event.
    sockets: u64,
    /// The connections on which the event is still to be written.
    idle: Vec<Arc<dyn Subscriber>>,
    /// The connections whose queue is full, for an event that is not in the log.
    slow: Vec<Arc<dyn Subscriber>>,
    /// The sockets whose queue is full, and their position. The log has the event, so they read it from the log later.
    behind: Vec<(SocketRef, Position)>,
    /// The span of the delivery.
    span: Option<EnteredSpan>,
}

/// Enters a span of the request that caused the event.
fn enter_span(event: &Event) -> Option<EnteredSpan> {
    event.traceparent.map(|from| {
        let span = tracing::debug_span!("deliver", trace_id = Empty, event = %event.label);
        if !span.is_disabled() {
            platform::join_trace(&span, Some(from));
        }
        span.entered()
    })
}

impl Hub {
    /// Queues an event for all recipients, once for each. Returns `None` if its rooms have more than `limit` members;
    /// a socket in several of them counts for each.
    fn dispatch(&self, event: &Arc<Event>, limit: usize) -> Option<Outcome> {
        let mut inner = self.lock();
        let Inner { members, rooms, dispatched, position, .. } = &mut *inner;
        let rooms: SmallVec<[&[usize]; 4]> = event.rooms.iter().map(|room| rooms.members(room)).collect();
        let recipients: usize = rooms.iter().map(|keys| keys.len()).sum();
        if recipients > limit {
            return None;
        }
        let mut outcome = Outcome { span: enter_span(event), ..Outcome::default() };
        if recipients > 0 {
            let now = Instant::now();
            *dispatched += 1;
            for key in rooms.into_iter().flatten() {
                let member = &mut members[*key];
                if std::mem::replace(&mut member.last_event, *dispatched) == *dispatched {
                    continue;
                }
                let Some(pushed) = member.deliver(event, now) else { continue };
                let subscriber = &member.subscriber;
                outcome.sockets += u64::from(matches!(pushed, Pushed::First | Pushed::Queued));
                match pushed {
                    Pushed::First => outcome.idle.push(Arc::clone(subscriber)),
                    Pushed::Full => match &event.position {
                        Some(at) => {
                            let before = Position { seq: at.seq - 1, ..at.clone() };
                            outcome.behind.push((member.socket_ref(), before.clone()));
                            member.hears = Hears::Behind(before);
                        }
                        None => outcome.slow.push(Arc::clone(subscriber)),
                    },
                    Pushed::Queued | Pushed::Closed => {}
                }
            }
        }
        if let Some(at) = &event.position {
            *position = Some(at.clone());
        }
        Some(outcome)
    }

    /// Puts an event into the queues of all recipients. Returns the idle connections, on which the event is
    /// still to be written.
    pub(super) fn deliver(&self, event: &Arc<Event>) -> Vec<Arc<dyn Subscriber>> {
        self.deliver_to_few(event, usize::MAX).unwrap_or_default()
    }

    /// As [`deliver`](Self::deliver). Does nothing and returns `None` if the event's rooms have more than `limit`
    /// members.
    pub(super) fn deliver_to_few(
        &self,
        event: &Arc<Event>,
        limit: usize,
    ) -> Option<Vec<Arc<dyn Subscriber>>> {
        let Outcome { sockets, idle, slow, behind, span: _span } = self.dispatch(event, limit)?;
        if sockets > 0 {
            tracing::debug!(event_id = %event.envelope.event_id, sockets, "delivered");
            self.metrics.sent(&event.label, sockets);
            let lag = self.clock.now() - event.published_at();
            self.metrics.delivery_lag(lag);
        }
        for (SocketRef { subscriber, socket }, before) in behind {
            subscriber.fall_behind(&socket, before);
        }
        self.metrics.dropped(Dropped::Slow, slow.len() as u64);
        for subscriber in slow {
            subscriber.close(Ending::Slow);
        }
        Some(idle)
    }

    /// Continues at a position after a gap. The events before it are lost to these sockets.
    pub(super) fn reset(&self, position: Position, reason: ResetReason) {
        let seq = position.seq;
        self.lock().position = Some(position);
        self.started.send_replace(true);
        if reason == ResetReason::LogLost {
            self.resync(Unrecoverable::LogLost, |member| {
                member.rooms.iter_mut().for_each(|own| own.since = seq);
                member.past = Past::None;
            });
        }
    }

    /// Asks every client to load everything again.
    pub(super) fn resync(&self, reason: Unrecoverable, change: impl Fn(&mut Member)) {
        let (mut slow, now) = (Vec::new(), self.clock.now());
        for (_, member) in &mut self.lock().members {
            change(member);
            let notice = Notice::Resync { reason }.frame(member.kind, None, now);
            if member.subscriber.outbound().push(notice) == Pushed::Full {
                slow.push(Arc::clone(&member.subscriber));
            }
        }
        // A client that cannot receive the notice would not learn of the gap.
        for subscriber in slow {
            subscriber.close(Ending::Slow);
        }
    }

    pub(super) fn run_timers(&self) {
        let now = Instant::now();
        let due = self.lock().connections.due(now);
        for subscriber in due.iter().filter_map(Weak::upgrade) {
            subscriber.run_timers(now);
        }
        self.expire();
    }

    /// Warns clients whose tokens expire soon, and closes those whose tokens have expired.
    fn expire(&self) {
        let now = self.clock.now();
        let mut expired = Vec::new();
        let mut inner = self.lock();
        for socket in inner.tokens.due(now) {
            let Some(&key) = inner.by_entrance.get(&socket) else { continue };
            let member = &mut inner.members[key];
            if member.owner.closes_at() <= now {
                expired.push(Arc::clone(&member.subscriber));
                continue;
            }
            member.warn(&self.clock);
            inner.arm_token(key);
        }
        drop(inner);
        for subscriber in expired {
            subscriber.close(Ending::Expired);
        }
    }
}
