//! One client's connection: what it says is read here, what it hears is put into its queue.
//!
//! [`Connection`] holds what Socket.IO and `/ws` have in common; `socketio` and `plain` hold what
//! each protocol makes of a message. The transports are in [`crate::http`].

mod close;
mod enter;
mod incoming;
mod limits;
mod plain;
mod requests;
mod resume;
mod socketio;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backplane::Position;
use serde_json::json;
use smallvec::SmallVec;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use incoming::{Incoming, read};

use crate::authorise::Peer;
use crate::ending::Ending;
use crate::engineio::{Beat, Heartbeat, Packet, Transport};
use crate::frame::Frame;
use crate::gateway::{Gateway, random_id};
use crate::hub::{Form, Hub};
use crate::outbound::Outbound;
use socketio::SocketIo;

/// What may wait for one connection.
const QUEUE_BYTES: usize = 1024 * 1024;
/// The largest event that is relayed: a queue must have room for it beside others.
pub const MAX_EVENT_BYTES: usize = QUEUE_BYTES / 2;
/// How long a client of `/ws` that says nothing is believed to be about to resume.
const RESUME_GRACE: Duration = Duration::from_secs(1);
/// How long a client may take to move to a WebSocket.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to close by itself after a DISCONNECT: some read their packets on another
/// thread than the close, and would take it for a broken line and come back.
const GOODBYE: Duration = Duration::from_millis(50);
/// How long the last packets wait for the GET that fetches them.
const LINGER: Duration = Duration::from_secs(30);

/// See the module's documentation.
pub struct Connection {
    /// Of Socket.IO, the Engine.IO session id: whoever knows it may read and write.
    pub id: Arc<str>,
    pub peer: Peer,
    pub hub: Arc<Hub>,
    pub outbound: Outbound,
    state: Mutex<State>,
}

struct State {
    protocol: Protocol,
    heartbeat: Heartbeat,
    /// By when it must be authorised; `None` once it has been.
    handshake_until: Option<Instant>,
    /// By when a WebSocket that probed must have taken over.
    upgrade_until: Option<Instant>,
    /// When it is to be looked at next: what was due before is taken care of then.
    watched: Option<Instant>,
    /// Nearly always one.
    sockets: SmallVec<[(Form, Arc<str>); 1]>,
    hearing: Hearing,
    /// Set while messages of the client come too fast.
    haste: Option<Box<limits::Haste>>,
    /// A GET is waiting: a second one breaks the protocol.
    polled: bool,
    ended: Option<Ending>,
}

/// Whether a client of `/ws` hears the events of the log.
#[derive(Debug, Default)]
enum Hearing {
    #[default]
    Everything,
    /// Not yet: it may still say that it resumes.
    Pending(Box<Pending>),
    /// It is given what came meanwhile.
    CatchingUp(JoinHandle<Option<()>>),
}

#[derive(Debug)]
struct Pending {
    until: Instant,
    /// Where it came in.
    from: Position,
}

enum Protocol {
    SocketIo(SocketIo),
    Plain,
}

impl Connection {
    /// A Socket.IO connection, opened by the first request of a session.
    pub fn socket_io(gateway: &Gateway, hub: &Arc<Hub>, peer: Peer, transport: Transport) -> Arc<Self> {
        let outbound = match transport {
            Transport::WebSocket => Outbound::web_socket(QUEUE_BYTES),
            Transport::Polling | Transport::Upgrading { .. } => Outbound::polling(QUEUE_BYTES),
        };
        let connection =
            Self::new(gateway, hub, peer, outbound, Protocol::SocketIo(SocketIo::new(transport)));
        let settings = &gateway.settings;
        let upgrades: &[&str] = if transport.is_polling() { &["websocket"] } else { &[] };
        let open = json!({
            "sid": &*connection.id,
            "upgrades": upgrades,
            "pingInterval": settings.gateway_ping_interval_ms,
            "pingTimeout": settings.gateway_ping_timeout_ms,
            "maxPayload": settings.gateway_max_frame_bytes,
        });
        connection.outbound.push(Packet::Open(open.to_string().into()).frame());
        gateway.add_session(&connection);
        connection
    }

    /// A connection of `/ws`.
    pub fn plain(gateway: &Gateway, hub: &Arc<Hub>, peer: Peer) -> Arc<Self> {
        let outbound = Outbound::web_socket(QUEUE_BYTES);
        Self::new(gateway, hub, peer, outbound, Protocol::Plain)
    }

    fn new(
        gateway: &Gateway,
        hub: &Arc<Hub>,
        peer: Peer,
        outbound: Outbound,
        protocol: Protocol,
    ) -> Arc<Self> {
        let now = Instant::now();
        let (interval, timeout) = (gateway.settings.ping_interval(), gateway.settings.ping_timeout());
        let state = State {
            protocol,
            heartbeat: Heartbeat::new(interval, timeout, now),
            handshake_until: Some(now + gateway.settings.handshake()),
            upgrade_until: None,
            watched: None,
            sockets: SmallVec::new(),
            hearing: Hearing::Everything,
            haste: None,
            polled: false,
            ended: None,
        };
        let hub = Arc::clone(hub);
        let id = match &gateway.settings.gateway_node {
            Some(node) => format!("{node}.{}", random_id()).into(),
            None => random_id(),
        };
        let connection = Arc::new(Self { id, peer, hub, outbound, state: Mutex::new(state) });
        let first = connection.lock().next_deadline();
        connection.watch(first);
        connection
    }

    /// Has itself looked at by then.
    fn watch(self: &Arc<Self>, at: Instant) {
        let mut state = self.lock();
        let sooner = state.ended.is_some() || state.watched.is_none_or(|watched| at < watched);
        if sooner {
            state.watched = Some(at);
        }
        drop(state);
        if sooner {
            self.hub.watch(self, at);
        }
    }

    /// Something was heard from the client, so it lives; the next ping may be due before its answer
    /// to the last one had to be.
    pub fn alive(self: &Arc<Self>) {
        let mut state = self.lock();
        state.heartbeat.pong(Instant::now());
        let next = state.next_deadline();
        drop(state);
        self.watch(next);
    }

    /// Does what is due, and has itself looked at again.
    pub fn tick(self: &Arc<Self>, gateway: &Arc<Gateway>, now: Instant) {
        if let Some(next) = self.beat(gateway, now) {
            self.watch(next);
        }
    }

    /// Does what is due; when something is again. `None` when it has ended, or is looked at later.
    fn beat(self: &Arc<Self>, gateway: &Arc<Gateway>, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        if state.watched.is_some_and(|at| at > now) {
            return None;
        }
        state.watched = None;
        if let Some(ending) = state.ended {
            drop(state);
            gateway.remove_session(&self.id);
            self.outbound.finish([Frame::close(ending.code(), ending.reason())]);
            return None;
        }
        if state.handshake_until.is_some_and(|until| until <= now) {
            drop(state);
            self.close(gateway, Ending::HandshakeTimeout);
            return None;
        }
        if state.upgrade_until.is_some_and(|until| until <= now) {
            state.abandon_probe();
            self.outbound.abandon_probe();
        }
        state.end_grace(self, gateway, now);
        if self.outbound.is_stalled(now) {
            drop(state);
            self.close(gateway, Ending::Slow);
            return None;
        }
        match state.heartbeat.beat(now) {
            Beat::Nothing => {}
            Beat::Ping => {
                let ping = match state.protocol {
                    Protocol::SocketIo(_) => Packet::Ping("".into()).frame(),
                    Protocol::Plain => Frame::ping(),
                };
                self.outbound.push(ping);
            }
            Beat::Dead => {
                drop(state);
                self.close(gateway, Ending::Silent);
                return None;
            }
        }
        Some(state.next_deadline())
    }

    /// The socket of that form, if it is authorised.
    fn socket(&self, form: Form) -> Option<Arc<str>> {
        let state = self.lock();
        state.sockets.iter().find(|(own, _)| *own == form).map(|(_, socket)| Arc::clone(socket))
    }

    /// Whether it speaks the protocol of `/ws`.
    pub fn is_plain(&self) -> bool {
        matches!(self.lock().protocol, Protocol::Plain)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_deadline(&self) -> Instant {
        let grace = match &self.hearing {
            Hearing::Pending(pending) => Some(pending.until),
            Hearing::Everything | Hearing::CatchingUp(_) => None,
        };
        let others = [self.handshake_until, self.upgrade_until, grace].into_iter().flatten();
        others.fold(self.heartbeat.deadline(), Instant::min)
    }

    fn socket_io(&mut self) -> Option<&mut SocketIo> {
        match &mut self.protocol {
            Protocol::SocketIo(socket_io) => Some(socket_io),
            Protocol::Plain => None,
        }
    }

    /// False if the connection is over.
    fn add_socket(&mut self, form: Form, socket: &Arc<str>) -> bool {
        if self.ended.is_none() {
            self.sockets.push((form, Arc::clone(socket)));
            self.handshake_until = None;
        }
        self.ended.is_none()
    }

    /// Lets a client of `/ws` hear the events of the log, if its time to resume is over.
    fn end_grace(&mut self, connection: &Arc<Connection>, gateway: &Arc<Gateway>, now: Instant) {
        if !matches!(&self.hearing, Hearing::Pending(pending) if pending.until <= now) {
            return;
        }
        let (Hearing::Pending(pending), Some((_, socket))) =
            (std::mem::take(&mut self.hearing), self.sockets.first())
        else {
            return;
        };
        let (connection, owner, socket) = (Arc::clone(connection), Arc::clone(gateway), Arc::clone(socket));
        let catching_up = connection.begin_hearing(owner, Form::Plain, socket, pending.from);
        self.hearing = Hearing::CatchingUp(gateway.platform.tasks.run("catch up", catching_up));
    }

    fn abandon_probe(&mut self) {
        self.upgrade_until = None;
        if let Some(socket_io) = self.socket_io() {
            socket_io.transport.abandon_probe();
        }
    }
}
