use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::ThreadId;
use std::time::Duration;

use contracts::{Clock, Tasks};
use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::inbox::{CAPACITY, Inbox};
use super::member::Member;
use super::members::Hub;
use super::subscriber::SocketRef;
use crate::metrics::Metrics;

/// The hubs of all worker threads.
pub struct Hubs {
    metrics: Arc<Metrics>,
    clock: Clock,
    by_thread: RwLock<HashMap<ThreadId, Arc<Hub>>>,
    joins: mpsc::UnboundedSender<Inbox>,
    joined: Mutex<Option<mpsc::UnboundedReceiver<Inbox>>>,
}

impl Hubs {
    pub fn new(metrics: Arc<Metrics>, clock: Clock) -> Self {
        let (joins, joined) = mpsc::unbounded_channel();
        Self { metrics, clock, by_thread: RwLock::default(), joins, joined: Mutex::new(Some(joined)) }
    }

    /// The hub of the calling worker thread. The first call starts the hub, with `tick` as the wanted precision
    /// of its timers.
    pub fn of_this_thread(&self, tasks: &Tasks, tick: Duration) -> Arc<Hub> {
        let mut hubs = self.by_thread.write().unwrap_or_else(PoisonError::into_inner);
        let hub = hubs.entry(std::thread::current().id()).or_insert_with(|| {
            let hub = Arc::new(Hub::new(Arc::clone(&self.metrics), self.clock.clone()));
            let (items, received) = mpsc::channel(CAPACITY);
            // An error means that the relay has stopped, and with it the process.
            let _ = self.joins.send(Inbox { hub: Arc::clone(&hub), items });
            tasks.spawn_local("hub", Arc::clone(&hub).run(tick, received).map(Ok::<(), Infallible>));
            hub
        });
        Arc::clone(hub)
    }

    /// The inboxes of new hubs, for the one relay; `None` from the second call on.
    pub fn take_joins(&self) -> Option<mpsc::UnboundedReceiver<Inbox>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub fn all(&self) -> Vec<Arc<Hub>> {
        self.by_thread.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub fn in_room(&self, room: &str) -> Vec<SocketRef> {
        self.all().iter().flat_map(|hub| hub.in_room(room)).collect()
    }

    /// The sockets of that id; there may be several for a moment while a client resumes.
    pub fn find(&self, socket: &str) -> Vec<SocketRef> {
        self.all().iter().filter_map(|hub| hub.find(socket)).collect()
    }

    pub fn sockets(&self) -> Vec<SocketRef> {
        self.all().iter().flat_map(|hub| hub.sockets()).collect()
    }

    pub fn for_each_member(&self, mut f: impl FnMut(&Member)) {
        for hub in self.all() {
            hub.for_each(&mut f);
        }
    }
}
