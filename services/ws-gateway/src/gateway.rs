use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::ThreadId;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::Clock;
use futures_util::FutureExt;
use tokio::sync::mpsc;
use web::Platform;

use crate::catalogue::Catalogue;
use crate::cluster::Cluster;
use crate::conformance::Suite;
use crate::connection::Connection;
use crate::history::History;
use crate::hub::{Ended, Hub, Inbox};
use crate::keeper::Keeper;
use crate::metrics::Metrics;
use crate::places::Places;
use crate::revocation::Revocations;
use crate::settings::Settings;

/// What a process has once.
pub struct Gateway {
    pub platform: Platform,
    pub settings: Settings,
    pub catalogue: Catalogue,
    pub metrics: Metrics,
    pub cluster: Cluster,
    pub revocations: Revocations,
    pub history: History,
    pub keeper: Keeper,
    pub places: Places,
    /// Set only where the protocols themselves are tested.
    pub suite: Option<Suite>,
    /// Socket.IO connections by their Engine.IO session id: a request may reach any worker thread.
    sessions: RwLock<HashMap<Arc<str>, Arc<Connection>>>,
    hubs: RwLock<HashMap<ThreadId, Arc<Hub>>>,
    joins: mpsc::UnboundedSender<Inbox>,
    joined: Mutex<Option<mpsc::UnboundedReceiver<Inbox>>>,
}

impl Gateway {
    /// # Errors
    /// If the catalogue is wrong, or a metric is registered twice.
    pub fn new(platform: Platform, settings: Settings) -> Result<Self> {
        let catalogue = settings.catalogue()?;
        let metrics = Metrics::register(&platform.metrics)?;
        let (joins, joined) = mpsc::unbounded_channel();
        Ok(Self {
            platform,
            settings,
            catalogue,
            metrics,
            cluster: Cluster::default(),
            revocations: Revocations::default(),
            history: History::default(),
            keeper: Keeper::default(),
            places: Places::default(),
            suite: None,
            sessions: RwLock::default(),
            hubs: RwLock::default(),
            joins,
            joined: Mutex::new(Some(joined)),
        })
    }

    pub fn clock(&self) -> &Clock {
        &self.platform.clock
    }

    /// Whether sockets may be let in: events are heard, and the process goes on.
    pub fn is_open(&self) -> bool {
        !self.platform.backplane.is_stale() && !self.platform.stop.is_cancelled()
    }

    /// The hub of the calling worker thread, which begins to run with the first call.
    pub fn hub_of_this_thread(self: &Arc<Self>) -> Arc<Hub> {
        let mut hubs = self.hubs.write().unwrap_or_else(PoisonError::into_inner);
        let hub = hubs.entry(std::thread::current().id()).or_insert_with(|| {
            let (inbox, items) = Hub::create();
            let hub = Arc::clone(&inbox.hub);
            // An error means that the relay has stopped, and with it the process.
            let _ = self.joins.send(inbox);
            let serving = Arc::clone(&hub).run(Arc::clone(self), items).map(Ok::<(), Infallible>);
            self.platform.tasks.spawn_local("hub", serving);
            hub
        });
        Arc::clone(hub)
    }

    /// The hubs that want to be fed, for the one relay.
    pub(crate) fn take_joins(&self) -> Option<mpsc::UnboundedReceiver<Inbox>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub fn hubs(&self) -> Vec<Arc<Hub>> {
        self.hubs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Sockets of every hub, to be ended.
    pub fn sockets(&self, of: impl Fn(&Hub) -> Vec<Ended>) -> Vec<Ended> {
        self.hubs().iter().flat_map(|hub| of(hub)).collect()
    }

    pub fn session(&self, id: &str) -> Option<Arc<Connection>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub fn add_session(&self, connection: &Arc<Connection>) {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(Arc::clone(&connection.id), Arc::clone(connection));
    }

    pub fn remove_session(&self, id: &str) {
        self.sessions.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Every Socket.IO connection, also those in no namespace.
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// An id that nobody guesses: 20 characters, 120 random bits.
pub fn random_id() -> Arc<str> {
    let mut bytes = [0; 15];
    // The process has no other source: it cannot go on without one.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes).into()
}
