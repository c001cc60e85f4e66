use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError};

use contracts::{Clock, Tasks};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::registry::Registry;
use crate::admission::{Admission, Peer};
#[cfg(feature = "conformance")]
use crate::client::Responder;
use crate::client::{ClientState, Effect, Effects, UpgradeStep};
use crate::cluster::Cluster;
use crate::config::Settings;
#[cfg(feature = "conformance")]
use crate::conformance::{Echo, Suite};
use crate::hub::Hub;
use crate::locks::{Mutex, MutexGuard};
use crate::metrics::Metrics;
use crate::outbound::{Outbound, Pushed};
use crate::protocol::engineio::{Packet, Transport};
use crate::random_id::random_id;
use crate::recovery::Recovery;

/// The Socket.IO connections by their Engine.IO session id: a request may reach any worker thread.
pub(crate) type Sessions = Registry<Connection>;

/// The parts of the gateway and of the process that a connection uses.
pub(crate) struct Services {
    pub hub: Arc<Hub>,
    pub admission: Arc<Admission>,
    pub recovery: Arc<Recovery>,
    pub cluster: Arc<Cluster>,
    pub sessions: Arc<Sessions>,
    pub settings: Arc<Settings>,
    /// Refuse sockets in the words of the replaced stack.
    pub has_old_words: bool,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub tasks: Tasks,
    pub stop: CancellationToken,
    /// Bytes that may wait for one connection.
    pub queue_bytes: usize,
    #[cfg(feature = "conformance")]
    pub suite: Option<Suite>,
}

/// One client's connection: its messages go into the state, and the frames for it into the queue.
pub(crate) struct Connection {
    /// On Socket.IO, the Engine.IO session id: a client that knows it may read and write.
    pub id: Arc<str>,
    pub peer: Peer,
    pub services: Arc<Services>,
    pub outbound: Outbound,
    /// Held by a replay of missed events: two at once would deliver events twice.
    pub replay: tokio::sync::Mutex<()>,
    /// Number of acknowledgements that wait for Redis.
    pub late_acknowledgements: AtomicUsize,
    guarded: Mutex<Guarded>,
}

struct Guarded {
    client: ClientState,
    /// Whether a GET is waiting: a second one breaks the protocol.
    is_polled: bool,
}

impl Services {
    /// Whether sockets may be let in: the backplane is not stale, and the process is not stopping.
    pub(crate) fn are_open(&self) -> bool {
        !self.recovery.backplane.is_stale() && !self.stop.is_cancelled()
    }
}

impl Connection {
    /// A Socket.IO connection, opened by the first request of a session. The effects arm its timer.
    pub(crate) fn socket_io(
        services: &Arc<Services>,
        peer: Peer,
        transport: Transport,
    ) -> (Arc<Self>, Effects) {
        let outbound = match transport {
            Transport::WebSocket => Outbound::web_socket(services.queue_bytes),
            Transport::Polling | Transport::Upgrading { .. } => Outbound::polling(services.queue_bytes),
        };
        let settings = &services.settings;
        let client = ClientState::socket_io(&settings.timing(), transport, Instant::now());
        let (connection, effects) = Self::new(services, peer, outbound, client);
        let upgrades: &[&str] = if transport.is_polling() { &["websocket"] } else { &[] };
        let open = json!({
            "sid": &*connection.id,
            "upgrades": upgrades,
            "pingInterval": settings.gateway_ping_interval_ms,
            "pingTimeout": settings.gateway_ping_timeout_ms,
            "maxPayload": settings.gateway_max_frame_bytes,
        });
        connection.outbound.push(Packet::Open(open.to_string().into()).frame());
        services.sessions.insert(&connection.id, &connection);
        (connection, effects)
    }

    /// A connection of `/ws`.
    pub(crate) fn plain(services: &Arc<Services>, peer: Peer) -> (Arc<Self>, Effects) {
        let client = ClientState::plain(&services.settings.timing(), Instant::now());
        Self::new(services, peer, Outbound::web_socket(services.queue_bytes), client)
    }

    fn new(
        services: &Arc<Services>,
        peer: Peer,
        outbound: Outbound,
        client: ClientState,
    ) -> (Arc<Self>, Effects) {
        let id: Arc<str> = match &services.settings.gateway_node {
            Some(node) => format!("{node}.{}", random_id()).into(),
            None => random_id(),
        };
        #[cfg(feature = "conformance")]
        let client = client.with_responder(services.suite.map(|suite| -> Box<dyn Responder> {
            let query = peer.query_token.clone().unwrap_or_default();
            Box::new(Echo { suite, id: Arc::clone(&id), query })
        }));
        let guarded = Mutex::new(Guarded { client, is_polled: false });
        let connection = Arc::new(Self {
            id,
            peer,
            services: Arc::clone(services),
            outbound,
            replay: tokio::sync::Mutex::default(),
            late_acknowledgements: AtomicUsize::new(0),
            guarded,
        });
        let effects = connection.update(ClientState::start);
        (connection, effects)
    }

    /// Gives the state an input. Executes the leading effects that only concern the queue under the lock, so that two
    /// inputs cannot mix up their frames. Returns the remaining effects.
    pub(crate) fn update(&self, input: impl FnOnce(&mut ClientState) -> Effects) -> Effects {
        let mut guarded = self.lock();
        let mut effects = input(&mut guarded.client);
        let done = effects.iter().take_while(|effect| self.queue(effect)).count();
        effects.drain(..done);
        effects
    }

    /// Reads from the state, or gives it an input that has no effects.
    pub(crate) fn with_client<T>(&self, f: impl FnOnce(&mut ClientState) -> T) -> T {
        f(&mut self.lock().client)
    }

    /// Executes an effect on the queue. Returns false for all other effects, and if the queue has no room.
    pub(crate) fn queue(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Send(frame) => return self.outbound.push_response(frame.clone()) != Pushed::Full,
            Effect::Upgrade(UpgradeStep::Probed) => {
                self.outbound.answer_probe(Packet::Pong("probe".into()).frame());
            }
            Effect::Upgrade(UpgradeStep::Complete) => self.outbound.upgrade(),
            Effect::Upgrade(UpgradeStep::Abandon) => self.outbound.abandon_probe(),
            _ => return false,
        }
        true
    }

    /// Whether polling requests may name this session.
    pub(crate) fn is_polling(&self) -> bool {
        self.with_client(|client| client.is_polling())
    }

    /// Registers a GET that begins to wait. Returns false if another GET is already waiting.
    pub(crate) fn begin_poll(&self) -> bool {
        !std::mem::replace(&mut self.lock().is_polled, true)
    }

    pub(crate) fn end_poll(&self) {
        self.lock().is_polled = false;
    }

    fn lock(&self) -> MutexGuard<'_, Guarded> {
        self.guarded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
