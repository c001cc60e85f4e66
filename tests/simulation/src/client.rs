//! A simulated client: it connects, resumes, reads at its own speed, and is cut off.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;
use ws_gateway::simulated::{Protocol, Wire};

use crate::database::Database;
use crate::frames::{Frame, Frames};
use crate::kind::Kind;
use crate::messages::Held;
use crate::notes::Live;
use crate::process::{GATEWAYS, Process, Processes, User, pause};
use crate::spawn::spawn_local;
use crate::view::View;
use crate::world::World;

/// Bytes in the buffers between a gateway and a client: few, so that a slow client fills the gateway's queue.
const PIPE_BYTES: usize = 4 * 1024;

/// The parts of a run that a client uses.
pub(crate) struct Surroundings {
    pub world: Arc<World>,
    pub database: Arc<Database>,
    pub processes: Processes,
}

/// The state of a client that the run looks at.
pub(crate) struct Client {
    pub number: usize,
    pub kind: Kind,
    pub user: User,
    pub around: Rc<Surroundings>,
    pub state: RefCell<State>,
}

pub(crate) struct State {
    pub session: Option<(Uuid, String)>,
    pub view: View,
    /// Sent to resume: the socket, its secret part (Socket.IO), and the last place in the log.
    pub(crate) socket: Option<String>,
    /// The socket that takes the place of `socket` once the client has resumed (`/ws`).
    pub(crate) next_socket: Option<String>,
    /// The events since the client asked to resume; `None` if it does not.
    pub(crate) held: Option<Vec<Held>>,
    /// The time of the last connect, and the life of the gateway.
    pub(crate) connected: Option<(Instant, u64)>,
    /// The notes since the client was let in.
    pub(crate) live: Option<Live>,
    pub(crate) private_id: Option<String>,
    pub(crate) offset: Option<(String, u64)>,
    /// Whether the gateway let the client in, and the client has what it asked for.
    pub is_settled: bool,
    /// The client reads nothing until then.
    pub stalled_until: Instant,
    /// The client loses its connection at that time; `true`: the gateway does not notice.
    pub cut_at: Option<(Instant, bool)>,
    /// Messages to send at once.
    pub flood: u32,
    pub renews: bool,
}

/// A connection as its client sees it.
pub(crate) struct Connection {
    pub wire: Wire,
    frames: Frames,
}

/// The end of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Lost,
    /// The gateway closed it because the session has ended.
    SessionEnded,
}

impl Client {
    pub(crate) fn new(number: usize, kind: Kind, user: User, around: Rc<Surroundings>) -> Rc<Self> {
        let state = State {
            session: None,
            view: View::new(user.clone(), kind.wants_drifts),
            socket: None,
            next_socket: None,
            held: None,
            connected: None,
            live: None,
            private_id: None,
            offset: None,
            is_settled: false,
            stalled_until: Instant::now(),
            cut_at: None,
            flood: 0,
            renews: false,
        };
        Rc::new(Self { number, kind, user, around, state: RefCell::new(state) })
    }

    /// Lives until the end of the run.
    pub(crate) async fn live(self: Rc<Self>) {
        loop {
            pause(&self.around.world).await;
            let Some((session, token)) = self.token().await else { continue };
            let Some(gateway) = self.process(&GATEWAYS) else { continue };
            let end = self.connect(gateway, &token).await;
            {
                let mut state = self.state.borrow_mut();
                (state.is_settled, state.held) = (false, None);
                if let Some(live) = state.live.take() {
                    live.account(&mut self.around.world.notes(), false);
                }
            }
            self.note(|| format!("disconnected: {end:?}"));
            if end == End::SessionEnded {
                if self.around.database.ended(session).is_none() {
                    self.violate(|| {
                        format!("was told that session {session} had ended, which is still open")
                    });
                }
                let mut state = self.state.borrow_mut();
                state.session = None;
                state.view.forget();
                (state.socket, state.private_id, state.offset) = (None, None, None);
            }
        }
    }

    /// One of these processes that runs now.
    pub(crate) fn process(&self, numbers: &[usize]) -> Option<Rc<Process>> {
        let number = numbers[self.around.world.draw(|rng| rng.usize(..numbers.len()))];
        self.around.processes.borrow()[number].clone()
    }

    async fn connect(&self, gateway: Rc<Process>, token: &str) -> End {
        let handshake = (self.kind.protocol == Protocol::Plain).then(|| token.to_owned());
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(self.number).unwrap_or(0)));
        let Some(gate) = &gateway.gateway else { return End::Lost };
        self.note(|| format!("connects to {}", crate::world::name(gateway.number)));
        self.state.borrow_mut().connected = Some((Instant::now(), gateway.life));
        let wire = gate.open(self.kind.protocol, address, handshake, PIPE_BYTES);
        drop(gateway);
        self.state.borrow_mut().cut_at = None;
        let mut connection = Connection { wire, frames: Frames::default() };
        if self.kind.protocol == Protocol::SocketIo {
            self.join(&connection, token);
        }
        loop {
            self.send_extras(&connection).await;
            if self.is_cut().await {
                self.cut(connection);
                return End::Lost;
            }
            while let Some(frame) = connection.frames.take() {
                if let Some(end) = self.hear(&connection, frame) {
                    return end;
                }
            }
            let patience = self.around.world.draw_duration(1..12);
            let received =
                tokio::time::timeout(Duration::from_millis(500), connection.wire.receive(1_024)).await;
            match received {
                Ok(Some(bytes)) => connection.frames.add(&bytes),
                Ok(None) => return End::Lost,
                Err(_nothing_came) => {}
            }
            sleep(patience).await;
        }
    }

    /// Waits while the client is stalled. Returns whether the connection breaks now.
    async fn is_cut(&self) -> bool {
        let stalled_until = self.state.borrow().stalled_until;
        let cut_at = self.state.borrow().cut_at;
        let until = cut_at.map_or(stalled_until, |(at, _)| at.min(stalled_until));
        if until > Instant::now() {
            sleep_until(until).await;
        }
        self.state.borrow().cut_at.is_some_and(|(at, _)| at <= Instant::now())
    }

    fn cut(&self, connection: Connection) {
        let is_half_open =
            self.state.borrow_mut().cut_at.take().is_some_and(|(_, is_half_open)| is_half_open);
        self.note(|| format!("is cut off{}", if is_half_open { ", half-open" } else { "" }));
        if is_half_open {
            // The gateway learns it from its pings.
            let half_open = async move {
                sleep(Duration::from_secs(10)).await;
                drop(connection);
            };
            spawn_local(half_open);
        }
    }

    fn hear(&self, connection: &Connection, frame: Frame) -> Option<End> {
        if let Frame::Text(text) = &frame {
            self.note(|| format!("  < {text}"));
        }
        match frame {
            Frame::Text(text) => match self.kind.protocol {
                Protocol::SocketIo => self.hear_socket_io(connection, &text),
                Protocol::Plain => self.hear_plain(connection, &text),
            },
            Frame::Ping => {
                connection.wire.pong();
                None
            }
            Frame::Close(code) => {
                self.note(|| format!("is closed with {code}"));
                if code == 4401 && !self.is_session_over() {
                    self.violate(|| "the token of an open session was refused".into());
                }
                Some(if code == 4403 { End::SessionEnded } else { End::Lost })
            }
            Frame::Other => None,
        }
    }

    /// Loads everything, as the gateway asked.
    pub(crate) fn load(&self, is_subscribed: bool) {
        self.state.borrow_mut().view.load(&self.around.database, is_subscribed);
    }

    pub(crate) fn settle(&self) {
        let mut state = self.state.borrow_mut();
        state.is_settled = true;
        if let (None, Some((_, life))) = (&state.live, state.connected) {
            state.live = Some(Live::begin(&self.around.world.notes(), life, self.user.id));
        }
        drop(state);
        self.note(|| "is settled".into());
    }

    /// Takes the place that came with an event.
    pub(crate) fn move_to(&self, epoch: &str, seq: u64) {
        let moved = self.state.borrow_mut().view.move_to(epoch, seq);
        self.state.borrow_mut().offset = Some((epoch.to_owned(), seq));
        if let Err(what) = moved {
            self.violate(|| what);
        }
    }

    pub(crate) fn violate(&self, what: impl FnOnce() -> String) {
        self.around.world.violate(|| format!("client {}: {}", self.number, what()));
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        self.around.world.note(|| format!("client {}: {}", self.number, line()));
    }
}

/// A field that is a string.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}
