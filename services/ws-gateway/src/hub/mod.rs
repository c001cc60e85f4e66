//! The authorised sockets of one worker thread, their rooms, and what is sent to them.
//!
//! There is one [`Hub`] per worker thread, fed by the relay ([`crate::relay`]) through its [`Inbox`], so
//! that a broadcast wakes each worker once, and an event for few is written where it was heard. Nothing in
//! here waits for a client: a frame is put into the queue of its connection, and a queue that is full ends
//! the connection.

mod event;
mod form;
mod member;
mod replay;
mod rooms;
mod run;
#[cfg(test)]
mod shape;
mod timers;

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backplane::Position;
use chrono::{DateTime, Utc};
use slab::Slab;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

pub use event::{Event, Frames};
pub use form::Form;
pub use member::{Hears, Member, Membership};
pub use replay::Replay;
pub use run::{Inbox, Item};

use crate::connection::Connection;
use crate::outbound::Pushed;
use rooms::Rooms;
use timers::Timers;

/// How many events a worker may lag behind before the relay waits for it.
const INBOX: usize = 1_024;

/// See the module's documentation.
///
/// Locks: the hub's comes before a connection's queue and is never taken while a connection's state
/// is locked.
pub struct Hub {
    inner: Mutex<Inner>,
    /// Whether the feed has begun.
    started: watch::Sender<bool>,
    /// Items that were handed over and are not delivered yet.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Inner {
    members: Slab<Member>,
    by_id: HashMap<Arc<str>, usize>,
    rooms: Rooms,
    /// The last event that was given to the members. `None` until the feed has begun.
    position: Option<Position>,
    dispatched: u64,
    connections: Timers<Instant, std::sync::Weak<Connection>>,
    tokens: Timers<DateTime<Utc>, Arc<str>>,
}

/// What became of an event.
#[derive(Default)]
struct Given {
    /// How many sockets got it.
    sockets: u64,
    /// The connections on which it has to be written.
    idle: Vec<Arc<Connection>>,
    /// The connections whose queue is full.
    slow: Vec<Arc<Connection>>,
    /// The sockets whose queue is full, while the log has the event: they read it there.
    behind: Vec<Ended>,
}

/// A member that is to be ended, with the connection to do it on.
pub struct Ended {
    pub connection: Arc<Connection>,
    pub socket: Arc<str>,
}

impl Hub {
    pub fn create() -> (Inbox, mpsc::Receiver<Item>) {
        let (items, receiver) = mpsc::channel(INBOX);
        let (started, waiting) = (watch::Sender::new(false), AtomicUsize::new(0));
        let hub = Arc::new(Self { inner: Mutex::default(), started, waiting });
        (Inbox { hub, items }, receiver)
    }

    /// Waits until the feed has begun; false if that takes too long.
    pub async fn started(&self, limit: Duration) -> bool {
        let mut started = self.started.subscribe();
        matches!(timeout(limit, started.wait_for(|started| *started)).await, Ok(Ok(_)))
    }

    /// Lets a socket in: it gets `greet`'s frames first, and every event after the position that
    /// `greet` was told. `None` if the feed has not begun.
    pub fn join(
        &self,
        mut member: Member,
        rooms: &[String],
        greet: impl FnOnce(&Position, &Member),
    ) -> Option<Position> {
        let mut inner = self.lock();
        let position = inner.position.clone()?;
        greet(&position, &member);
        let id = Arc::clone(&member.id);
        let due = member.next_due();
        member.timer = Some(inner.tokens.add(due, Arc::clone(&id)));
        // With room for what it will ask for.
        member.rooms.reserve_exact(rooms.len() + 2);
        let key = inner.members.insert(member);
        inner.by_id.insert(id, key);
        for room in rooms {
            inner.enter(key, room);
        }
        Some(position)
    }

    /// Takes a socket out. Its rooms, for one that may come back.
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

    /// Whether the socket is here, and now in the room.
    pub fn subscribe(&self, socket: &str, room: &str) -> bool {
        let mut inner = self.lock();
        let Some(&key) = inner.by_id.get(socket) else { return false };
        inner.enter(key, room);
        true
    }

    pub fn unsubscribe(&self, socket: &str, room: &str) -> bool {
        let mut inner = self.lock();
        let Some(&key) = inner.by_id.get(socket) else { return false };
        let rooms = &mut inner.members[key].rooms;
        if let Some(index) = rooms.iter().position(|own| &*own.room == room) {
            let own = rooms.swap_remove(index);
            inner.close_gap(&own);
        }
        true
    }

    /// Does something with a socket, if it is here.
    pub fn with_member<T>(&self, socket: &str, f: impl FnOnce(&mut Member) -> T) -> Option<T> {
        let mut inner = self.lock();
        let key = *inner.by_id.get(socket)?;
        Some(f(&mut inner.members[key]))
    }

    /// Looks at every socket.
    pub fn each(&self, mut f: impl FnMut(&Member)) {
        self.lock().members.iter().for_each(|(_, member)| f(member));
    }

    /// The sockets of a room, to be ended.
    pub fn in_room(&self, room: &str) -> Vec<Ended> {
        let inner = self.lock();
        inner.rooms.members(room).iter().map(|key| inner.members[*key].as_ended()).collect()
    }

    /// The socket of that id, to be ended.
    pub fn find(&self, socket: &str) -> Option<Ended> {
        self.with_member(socket, |member| member.as_ended())
    }

    /// All sockets, to be ended.
    pub fn all(&self) -> Vec<Ended> {
        self.lock().members.iter().map(|(_, member)| member.as_ended()).collect()
    }

    /// Moves a socket between the rooms of accounts, if the user's account has changed.
    pub fn change_account(&self, socket: &str, old: Option<&str>, new: Option<&str>) {
        if old != new {
            self.unsubscribe(socket, &account_room(old));
            self.subscribe(socket, &account_room(new));
        }
    }

    /// A token was exchanged for one with other claims.
    pub fn reauthorise(&self, socket: &str, claims: contracts::Claims) -> bool {
        let mut inner = self.lock();
        let Some(&key) = inner.by_id.get(socket) else { return false };
        let member = &mut inner.members[key];
        member.claims = claims;
        member.warned = false;
        let (due, old) = (member.next_due(), member.timer.take());
        if let Some(old) = old {
            inner.tokens.remove(old);
        }
        let timer = inner.tokens.add(due, socket.into());
        inner.members[key].timer = Some(timer);
        true
    }

    /// Has the connection looked at, at that time.
    pub fn watch(&self, connection: &Arc<Connection>, at: Instant) {
        self.lock().connections.add(at, Arc::downgrade(connection));
    }

    /// How many sockets an event is for, those in several of its rooms counted for each.
    fn audience(&self, event: &Event) -> usize {
        let inner = self.lock();
        event.rooms.iter().map(|room| inner.rooms.members(room).len()).sum()
    }

    /// Gives an event to all who may see it, each once.
    fn dispatch(&self, event: &Arc<Event>) -> Given {
        let mut given = Given::default();
        let mut inner = self.lock();
        inner.dispatched += 1;
        let Inner { members, rooms, dispatched, .. } = &mut *inner;
        for room in &event.rooms {
            for key in rooms.members(room) {
                let member = &mut members[*key];
                if std::mem::replace(&mut member.last_event, *dispatched) == *dispatched {
                    continue;
                }
                let Some(pushed) = member.give(event) else { continue };
                let connection = &member.connection;
                given.sockets += u64::from(matches!(pushed, Pushed::First | Pushed::Queued));
                match pushed {
                    Pushed::First => given.idle.push(Arc::clone(connection)),
                    Pushed::Full if event.position.is_some() => {
                        member.hears = Hears::Unlogged;
                        given.behind.push(member.as_ended());
                    }
                    Pushed::Full => given.slow.push(Arc::clone(connection)),
                    Pushed::Queued | Pushed::Closed => {}
                }
            }
        }
        if let Some(position) = &event.position {
            inner.position = Some(position.clone());
        }
        given
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn enter(&mut self, key: usize, room: &str) {
        let member = &mut self.members[key];
        if member.rooms.iter().any(|own| &*own.room == room) {
            return;
        }
        let since = self.position.as_ref().map_or(0, |position| position.seq);
        let (room, place) = self.rooms.enter(room, key);
        member.rooms.push(Membership { room, place, since });
    }

    /// Takes a place in a room back; who was last in the room has it now.
    fn close_gap(&mut self, left: &Membership) {
        let Some(moved) = self.rooms.leave(&left.room, left.place) else { return };
        let mut rooms = self.members[moved].rooms.iter_mut();
        if let Some(own) = rooms.find(|own| Arc::ptr_eq(&own.room, &left.room)) {
            own.place = left.place;
        }
    }
}

/// The rooms that a socket is in from the beginning.
pub fn own_rooms(claims: &contracts::Claims) -> Vec<String> {
    let account = account_room(claims.account_id.as_deref());
    let mut rooms = vec!["all".into(), user_room(&claims.user_id), account];
    rooms.extend(claims.sid.map(session_room));
    rooms
}

fn account_room(account: Option<&str>) -> String {
    format!("account:{}", account.unwrap_or("global"))
}

pub fn user_room(user: &str) -> String {
    format!("user:{user}")
}

pub fn session_room(session: Uuid) -> String {
    format!("session:{session}")
}
