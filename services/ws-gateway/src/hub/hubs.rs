use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::ThreadId;
use std::time::Duration;

use contracts::{Clock, Tasks};
use futures_util::FutureExt;
use identity::Verifier;
use tokio::sync::mpsc;

use super::inbox::{CAPACITY, Inbox};
use super::member::Member;
use super::members::Hub;
use super::subscriber::SocketRef;
use crate::metrics::Metrics;

/// The hubs of all worker threads.
pub(crate) struct Hubs {
    metrics: Arc<Metrics>,
    clock: Clock,
    verifier: Verifier,
    by_thread: RwLock<HashMap<ThreadId, Arc<Hub>>>,
    joins: mpsc::UnboundedSender<Inbox>,
    joined: Mutex<Option<mpsc::UnboundedReceiver<Inbox>>>,
}

impl Hubs {
    pub(crate) fn new(metrics: Arc<Metrics>, clock: Clock, verifier: Verifier) -> Self {
        let (joins, joined) = mpsc::unbounded_channel();
        let joined = Mutex::new(Some(joined));
        Self { metrics, clock, verifier, by_thread: RwLock::default(), joins, joined }
    }

    /// The hub of the calling worker thread. The first call starts the hub, with `tick` as the wanted precision
    /// of its timers.
    pub(crate) fn of_this_thread(&self, tasks: &Tasks, tick: Duration) -> Arc<Hub> {
        let mut hubs = self.by_thread.write().unwrap_or_else(PoisonError::into_inner);
        let hub = hubs.entry(std::thread::current().id()).or_insert_with(|| {
            let (metrics, clock) = (Arc::clone(&self.metrics), self.clock.clone());
            let hub = Arc::new(Hub::new(metrics, clock, self.verifier.clone()));
            let (items, received) = mpsc::channel(CAPACITY);
            // An error means that the relay has stopped, and with it the process.
            let _ = self.joins.send(Inbox { hub: Arc::clone(&hub), items });
            tasks.spawn_local("hub", Arc::clone(&hub).run(tick, received).map(Ok::<(), Infallible>));
            hub
        });
        Arc::clone(hub)
    }

    /// The inboxes of new hubs, for the one relay; `None` from the second call on.
    pub(crate) fn take_joins(&self) -> Option<mpsc::UnboundedReceiver<Inbox>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Hub>> {
        self.by_thread.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn in_room(&self, room: &str) -> Vec<SocketRef> {
        self.all().iter().flat_map(|hub| hub.in_room(room)).collect()
    }

    /// The entrances of the socket that clients know by that id; there may be several for a moment while a client
    /// resumes.
    pub(crate) fn find(&self, id: &str) -> Vec<SocketRef> {
        self.all().iter().flat_map(|hub| hub.find(id)).collect()
    }

    pub(crate) fn sockets(&self) -> Vec<SocketRef> {
        self.all().iter().flat_map(|hub| hub.sockets()).collect()
    }

    pub(crate) fn for_each_member(&self, mut f: impl FnMut(&Member)) {
        for hub in self.all() {
            hub.for_each(&mut f);
        }
    }
}
