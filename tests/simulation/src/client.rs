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
use crate::messages::Held;
use crate::process::{AUTH, GATEWAYS, Process, Processes, User, pause};
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
    pub protocol: Protocol,
    pub user: User,
    pub wants_drifts: bool,
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
    pub(crate) fn new(
        number: usize,
        protocol: Protocol,
        user: User,
        wants_drifts: bool,
        around: Rc<Surroundings>,
    ) -> Rc<Self> {
        let state = State {
            session: None,
            view: View::new(user.clone(), wants_drifts),
            socket: None,
            next_socket: None,
            held: None,
            private_id: None,
            offset: None,
            is_settled: false,
            stalled_until: Instant::now(),
            cut_at: None,
            flood: 0,
            renews: false,
        };
        Rc::new(Self { number, protocol, user, wants_drifts, around, state: RefCell::new(state) })
    }

    /// Lives until the end of the run.
    pub(crate) async fn live(self: Rc<Self>) {
        loop {
            pause(&self.around.world).await;
            let Some((session, token)) = self.token().await else { continue };
            let Some(gateway) = self.process(&GATEWAYS) else { continue };
            let end = self.connect(gateway, &token).await;
            self.state.borrow_mut().is_settled = false;
            self.state.borrow_mut().held = None;
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

    /// The token of the client's session; logs in if it has none.
    async fn token(&self) -> Option<(Uuid, String)> {
        let known = self.state.borrow().session.clone();
        if known.is_some() {
            return known;
        }
        let auth = self.process(&AUTH)?;
        let opened = auth.log_in(&self.user).await.ok()?;
        self.note(|| format!("logged in, session {}", opened.0));
        self.state.borrow_mut().session = Some(opened.clone());
        Some(opened)
    }

    /// One of these processes that runs now.
    pub(crate) fn process(&self, numbers: &[usize]) -> Option<Rc<Process>> {
        let number = numbers[self.around.world.draw(|rng| rng.usize(..numbers.len()))];
        self.around.processes.borrow()[number].clone()
    }

    async fn connect(&self, gateway: Rc<Process>, token: &str) -> End {
        let handshake = (self.protocol == Protocol::Plain).then(|| token.to_owned());
        let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(self.number).unwrap_or(0)));
        let Some(gate) = &gateway.gateway else { return End::Lost };
        self.note(|| format!("connects to {}", crate::world::name(gateway.number)));
        let wire = gate.open(self.protocol, address, handshake, PIPE_BYTES);
        drop(gateway);
        self.state.borrow_mut().cut_at = None;
        let mut connection = Connection { wire, frames: Frames::default() };
        if self.protocol == Protocol::SocketIo {
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
            Frame::Text(text) => match self.protocol {
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

    /// Floods the gateway, or renews the token, if the run asks for it.
    async fn send_extras(&self, connection: &Connection) {
        let (flood, renews) = {
            let mut state = self.state.borrow_mut();
            if !state.is_settled {
                return;
            }
            (std::mem::take(&mut state.flood), std::mem::take(&mut state.renews))
        };
        for _ in 0..flood {
            connection.wire.send(match self.protocol {
                Protocol::SocketIo => r#"42["nothing"]"#.into(),
                Protocol::Plain => r#"{"type":"ping"}"#.into(),
            });
        }
        let session = self.state.borrow().session.as_ref().map(|(session, _)| *session);
        let (true, Some(session), Some(auth)) = (renews, session, self.process(&AUTH)) else { return };
        let Ok(token) = auth.refresh(&self.user, session).await else { return };
        connection.wire.send(match self.protocol {
            Protocol::SocketIo => format!(r#"42["connection.reauth",{{"token":"{token}"}}]"#),
            Protocol::Plain => format!(r#"{{"type":"reauth","token":"{token}"}}"#),
        });
        if let Some(session) = &mut self.state.borrow_mut().session {
            session.1 = token;
        }
    }

    /// Loads everything, as the gateway asked.
    pub(crate) fn load(&self, is_subscribed: bool) {
        self.state.borrow_mut().view.load(&self.around.database, is_subscribed);
    }

    pub(crate) fn settle(&self) {
        self.state.borrow_mut().is_settled = true;
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
