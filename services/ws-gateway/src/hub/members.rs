use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use backplane::Position;
use chrono::{DateTime, Utc};
use contracts::Clock;
use slab::Slab;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::member::{Member, Membership};
use super::rooms::Rooms;
use super::subscriber::{SocketRef, Subscriber};
use super::timers::Timers;
use crate::metrics::Metrics;

/// The sockets of one worker thread; see the documentation of the module.
///
/// Locks: the hub's comes before a connection's queue and is never taken while a connection's state
/// is locked.
pub struct Hub {
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
    inner: Mutex<Inner>,
    /// Whether the feed has begun.
    pub(super) started: watch::Sender<bool>,
    /// Items that were sent to the inbox and are not delivered yet.
    pub(super) waiting: AtomicUsize,
}

#[derive(Default)]
pub(super) struct Inner {
    pub members: Slab<Member>,
    pub by_id: HashMap<Arc<str>, usize>,
    pub rooms: Rooms,
    /// The last event that was delivered to the members. `None` until the feed has begun.
    pub position: Option<Position>,
    pub dispatched: u64,
    pub connections: Timers<Instant, Weak<dyn Subscriber>>,
    pub tokens: Timers<DateTime<Utc>, Arc<str>>,
}

impl Hub {
    pub fn new(metrics: Arc<Metrics>, clock: Clock) -> Self {
        let (started, waiting) = (watch::Sender::new(false), AtomicUsize::new(0));
        Self { metrics, clock, inner: Mutex::default(), started, waiting }
    }

    /// Waits until the feed has begun. Returns false if that takes too long.
    pub async fn started(&self, limit: Duration) -> bool {
        let mut started = self.started.subscribe();
        matches!(timeout(limit, started.wait_for(|started| *started)).await, Ok(Ok(_)))
    }

    /// Lets a socket in. The socket gets the frames of `greet` first, and every event after the position that
    /// `greet` receives. Returns `None` if the feed has not begun, or a socket of that id is still here.
    pub fn join(
        &self,
        mut member: Member,
        rooms: &[String],
        greet: impl FnOnce(&Position, &Member),
    ) -> Option<Position> {
        let mut inner = self.lock();
        let position = inner.position.clone()?;
        if inner.by_id.contains_key(&member.id) {
            return None;
        }
        greet(&position, &member);
        let id = Arc::clone(&member.id);
        let due = member.next_due();
        member.timer = Some(inner.tokens.add(due, Arc::clone(&id)));
        // With room for two subscriptions.
        member.rooms.reserve_exact(rooms.len() + 2);
        let key = inner.members.insert(member);
        inner.by_id.insert(id, key);
        for room in rooms {
            inner.enter(key, room);
        }
        Some(position)
    }

    /// Removes a socket.
    pub fn leave(&self, socket: &str) -> Option<Member> {
        let mut inner = self.lock();
        let key = inner.by_id.remove(socket)?;
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
    pub fn subscribe(&self, socket: &str, room: &str) -> bool {
        let mut inner = self.lock();
        let Some(&key) = inner.by_id.get(socket) else { return false };
        inner.enter(key, room);
        true
    }

    /// Takes a socket out of a room. Returns false if the socket is not here.
    pub fn unsubscribe(&self, socket: &str, room: &str) -> bool {
        let mut inner = self.lock();
        let Some(&key) = inner.by_id.get(socket) else { return false };
        inner.exit(key, room);
        true
    }

    /// Calls `f` with a socket, if the socket is here.
    pub fn with_member<T>(&self, socket: &str, f: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let mut inner = self.lock();
        let key = *inner.by_id.get(socket)?;
        Some(f(&mut inner.members[key]))
    }

    /// Calls `f` with every socket.
    pub fn for_each(&self, mut f: impl FnMut(&Member)) {
        self.lock().members.iter().for_each(|(_, member)| f(member));
    }

    /// The sockets of a room.
    pub fn in_room(&self, room: &str) -> Vec<SocketRef> {
        let inner = self.lock();
        inner.rooms.members(room).iter().map(|key| inner.members[*key].socket_ref()).collect()
    }

    /// The socket of that id.
    pub fn find(&self, socket: &str) -> Option<SocketRef> {
        self.with_member(socket, |member| member.socket_ref())
    }

    /// All sockets.
    pub fn sockets(&self) -> Vec<SocketRef> {
        self.lock().members.iter().map(|(_, member)| member.socket_ref()).collect()
    }

    /// Arms the timer of a connection: [`Subscriber::run_timers`] is called at that time.
    pub fn arm(&self, subscriber: Weak<dyn Subscriber>, at: Instant) {
        self.lock().connections.add(at, subscriber);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    pub fn enter(&mut self, key: usize, room: &str) {
        let member = &mut self.members[key];
        if member.rooms.iter().any(|own| &*own.room == room) {
            return;
        }
        let since = self.position.as_ref().map_or(0, |position| position.seq);
        let (room, slot) = self.rooms.enter(room, key);
        member.rooms.push(Membership { room, slot, since });
    }

    pub fn exit(&mut self, key: usize, room: &str) {
        let rooms = &mut self.members[key].rooms;
        if let Some(index) = rooms.iter().position(|own| &*own.room == room) {
            let own = rooms.swap_remove(index);
            self.close_gap(&own);
        }
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
