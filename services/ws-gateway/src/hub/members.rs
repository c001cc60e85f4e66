use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use backplane::Position;
use chrono::{DateTime, Utc};
use contracts::Clock;
use identity::{TokenError, Verifier};
use slab::Slab;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::member::{Hears, Member, Membership, Past};
use super::rooms::Rooms;
use super::subscriber::{SocketRef, Subscriber};
use super::timers::Timers;
use crate::catalogue::Event;
use crate::locks::{AtomicUsize, Mutex, MutexGuard};
use crate::metrics::Metrics;

/// The sockets of one worker thread; see the documentation of the module.
///
/// Locks: the hub's comes before those of a connection's state and queue.
pub(crate) struct Hub {
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
    pub(super) verifier: Verifier,
    inner: Mutex<Inner>,
    /// Whether the feed has begun.
    pub(super) started: watch::Sender<bool>,
    /// Items that were sent to the inbox and are not delivered yet.
    pub(super) waiting: AtomicUsize,
}

#[derive(Default)]
pub(super) struct Inner {
    pub members: Slab<Member>,
    /// Sorted, so that the entrances of one socket are neighbours.
    pub by_entrance: BTreeMap<Arc<str>, usize>,
    pub rooms: Rooms,
    /// The last event that was delivered to the members. `None` until the feed has begun.
    pub position: Option<Position>,
    pub dispatched: u64,
    pub connections: Timers<Instant, Weak<dyn Subscriber>>,
    pub tokens: Timers<DateTime<Utc>, Arc<str>>,
}

impl Hub {
    pub(crate) fn new(metrics: Arc<Metrics>, clock: Clock, verifier: Verifier) -> Self {
        let (started, waiting) = (watch::Sender::new(false), AtomicUsize::new(0));
        Self { metrics, clock, verifier, inner: Mutex::default(), started, waiting }
    }

    /// Waits until the feed has begun. Returns the position of the newest event; `None` if that takes too long.
    pub(crate) async fn started(&self, limit: Duration) -> Option<Position> {
        let mut started = self.started.subscribe();
        timeout(limit, started.wait_for(|started| *started)).await.ok()?.ok()?;
        self.lock().position.clone()
    }

    /// Lets a socket into its own rooms and into `rooms`. The socket gets the frames of `greet` first, and every
    /// event after the position that `greet` receives. Returns the result of `greet`; if that is `None`, or the feed
    /// has not begun, the socket stays outside.
    ///
    /// # Errors
    /// If the session has ended or the account is disabled. Checked under the same lock, because this may have
    /// happened since the check of the token.
    pub(crate) fn join<T>(
        &self,
        mut member: Member,
        rooms: &[String],
        greet: impl FnOnce(&Position, &Member) -> Option<T>,
    ) -> Result<Option<T>, TokenError> {
        let mut inner = self.lock();
        member.owner.recheck(&self.verifier)?;
        let greeted = inner.position.clone().and_then(|position| greet(&position, &member));
        if greeted.is_none() {
            return Ok(None);
        }
        let (entrance, own_rooms) = (Arc::clone(&member.entrance), member.owner.rooms());
        // With room for two subscriptions.
        member.rooms.reserve_exact(own_rooms.len() + rooms.len() + 2);
        let key = inner.members.insert(member);
        inner.by_entrance.insert(entrance, key);
        inner.arm_token(key);
        for room in own_rooms.iter().chain(rooms) {
            inner.enter(key, room);
        }
        Ok(greeted)
    }

    /// Removes a socket.
    pub(crate) fn leave(&self, socket: &str) -> Option<Member> {
        let mut inner = self.lock();
        let key = inner.by_entrance.remove(socket)?;
        let member = inner.members.remove(key);
        for own in &member.rooms {
            inner.close_gap(own);
        }
        if let Some(timer) = member.timer {
            inner.tokens.remove(timer);
        }
        Some(member)
    }

    /// Puts a socket into a room. Returns false if the socket is not here.
    pub(crate) fn subscribe(&self, socket: &str, room: &str) -> bool {
        let mut inner = self.lock();
        let Some(&key) = inner.by_entrance.get(socket) else { return false };
        inner.enter(key, room);
        true
    }

    /// Takes a socket out of a room. Returns false if the socket is not here.
    pub(crate) fn unsubscribe(&self, socket: &str, room: &str) -> bool {
        let mut inner = self.lock();
        let Some(&key) = inner.by_entrance.get(socket) else { return false };
        inner.exit(key, room);
        true
    }

    /// Calls `f` with a socket, if the socket is here.
    pub(crate) fn with_member<T>(&self, socket: &str, f: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let mut inner = self.lock();
        let key = *inner.by_entrance.get(socket)?;
        Some(f(&mut inner.members[key]))
    }

    /// Calls `f` with every socket.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&Member)) {
        self.lock().members.iter().for_each(|(_, member)| f(member));
    }

    /// The sockets of a room.
    pub(crate) fn in_room(&self, room: &str) -> Vec<SocketRef> {
        let inner = self.lock();
        inner.rooms.members(room).iter().map(|key| inner.members[*key].socket_ref()).collect()
    }

    /// The sockets of engineers and admins that receive live events and were in a room of this one.
    pub(crate) fn engineers_who_hear(&self, event: &Event) -> Vec<SocketRef> {
        let Some(position) = &event.position else { return Vec::new() };
        let inner = self.lock();
        let members = event.rooms.iter().flat_map(|room| inner.rooms.members(room).iter());
        let members = members.map(|key| &inner.members[*key]).filter(|member| {
            let was_in = |own: &Membership| {
                own.since < position.seq && event.rooms.iter().any(|room| **room == *own.room)
            };
            member.owner.is_engineer
                && matches!(member.hears, Hears::Everything)
                && member.rooms.iter().any(was_in)
        });
        members.map(Member::socket_ref).collect()
    }

    /// The entrances of the socket that clients know by that id.
    pub(crate) fn find(&self, id: &str) -> Vec<SocketRef> {
        let inner = self.lock();
        let from = inner.by_entrance.range::<str, _>((Bound::Included(id), Bound::Unbounded));
        let entrances = from.take_while(|(entrance, _)| entrance.starts_with(id));
        let members = entrances.map(|(_, key)| &inner.members[*key]).filter(|member| *member.id == *id);
        members.map(Member::socket_ref).collect()
    }

    /// All sockets.
    pub(crate) fn sockets(&self) -> Vec<SocketRef> {
        self.lock().members.iter().map(|(_, member)| member.socket_ref()).collect()
    }

    /// Arms the timer of a connection: [`Subscriber::run_timers`] is called at that time.
    pub(crate) fn arm(&self, subscriber: Weak<dyn Subscriber>, at: Instant) {
        self.lock().connections.add(at, subscriber);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    pub(super) fn enter(&mut self, key: usize, room: &str) {
        let member = &mut self.members[key];
        if member.rooms.iter().any(|own| &*own.room == room) {
            return;
        }
        let since = self.position.as_ref().map_or(0, |position| position.seq);
        let (room, slot) = self.rooms.enter(room, key);
        member.rooms.push(Membership { room, slot, since });
    }

    pub(super) fn exit(&mut self, key: usize, room: &str) {
        let until = self.position.as_ref();
        let member = &mut self.members[key];
        let Some(index) = member.rooms.iter().position(|own| &*own.room == room) else { return };
        let own = member.rooms.swap_remove(index);
        match &member.hears {
            // How far it has received the events of the room is known to the delivery of those that it missed.
            _ if member.catches_up => member.past = Past::Unknown,
            Hears::Everything => member.past.add(own.heard(until.map_or(0, |position| position.seq))),
            Hears::Behind(at) => {
                let until = if until.is_some_and(|position| position.epoch == at.epoch) { at.seq } else { 0 };
                member.past.add(own.heard(until));
            }
            Hears::Unlogged | Hears::Nothing(_) => {}
        }
        self.close_gap(&own);
    }

    /// Arms the timer for the warning or the close of a token.
    pub(super) fn arm_token(&mut self, key: usize) {
        let member = &mut self.members[key];
        if let Some(old) = member.timer.take() {
            self.tokens.remove(old);
        }
        member.timer = Some(self.tokens.add(member.next_due(), Arc::clone(&member.entrance)));
    }

    /// Frees a slot of a room; the last member of the room moves into it.
    fn close_gap(&mut self, left: &Membership) {
        let Some(moved) = self.rooms.leave(&left.room, left.slot) else { return };
        let mut rooms = self.members[moved].rooms.iter_mut();
        if let Some(own) = rooms.find(|own| Arc::ptr_eq(&own.room, &left.room)) {
            own.slot = left.slot;
        }
    }
}
