use std::sync::Arc;
use std::time::Duration;

use backplane::Position;
use contracts::events::auth::EndReason;
use smallvec::smallvec;
use tokio::time::Instant;

use super::closing::{Carrier, Closing};
use super::deadlines::Timing;
use super::effects::{Effect, Effects, UpgradeStep};
use super::life::Life;
use super::plain;
#[cfg(feature = "conformance")]
use super::socket_io::Responder;
use super::socket_io::SocketIo;
use crate::protocol::engineio::{self, Beat, Lane, Message, Packet, Received, Transport};
use crate::protocol::{Ending, Frame, NamespaceKind, Refusal};

/// Time in which a client has to move to a WebSocket.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// The state of one client's connection.
///
/// Inputs: packets and messages of the client, the timer, the decisions of admission, the loss of a WebSocket,
/// the end of a session. The connection ends with the first [`Closing::Begin`]; after it, the state only
/// confirms and finishes the close.
pub(crate) struct ClientState {
    protocol: Protocol,
    life: Life,
    #[cfg(feature = "conformance")]
    responder: Option<Box<dyn Responder>>,
}

enum Protocol {
    SocketIo(SocketIo),
    Plain,
}

impl ClientState {
    pub(crate) fn socket_io(timing: &Timing, transport: Transport, now: Instant) -> Self {
        Self::new(timing, Protocol::SocketIo(SocketIo::new(transport)), now)
    }

    pub(crate) fn plain(timing: &Timing, now: Instant) -> Self {
        Self::new(timing, Protocol::Plain, now)
    }

    fn new(timing: &Timing, protocol: Protocol, now: Instant) -> Self {
        Self {
            protocol,
            life: Life::new(timing, now),
            #[cfg(feature = "conformance")]
            responder: None,
        }
    }

    #[cfg(feature = "conformance")]
    pub(crate) fn with_responder(self, responder: Option<Box<dyn Responder>>) -> Self {
        Self { responder, ..self }
    }

    /// Whether the client speaks the protocol of `/ws`.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.protocol, Protocol::Plain)
    }

    /// Whether the client has responded to a ping from after a time.
    pub(crate) fn has_answered_since(&self, time: Instant) -> bool {
        self.life.deadlines.heartbeat.has_answered_since(time)
    }

    /// Whether polling requests may name this session.
    pub(crate) fn is_polling(&self) -> bool {
        self.carrier() == Carrier::Polling
    }

    pub(crate) fn sockets(&self) -> impl Iterator<Item = &Arc<str>> {
        self.life.sockets.iter().map(|(_, socket)| socket)
    }

    /// Arms the timer of a new connection.
    pub(crate) fn start(&mut self) -> Effects {
        self.life.arm_next()
    }

    /// Begins the upgrade to a WebSocket; `None` if this is not allowed.
    pub(crate) fn on_probe(&mut self, now: Instant) -> Option<Effects> {
        if self.life.ended.is_some() || !self.as_socket_io()?.transport.probe() {
            return None;
        }
        let until = now + UPGRADE_TIMEOUT;
        self.life.deadlines.upgrade = Some(until);
        Some(self.life.arm(until))
    }

    /// A message of the WebSocket.
    pub(crate) fn on_message(&mut self, now: Instant, message: Message) -> Effects {
        let packet = match (&self.protocol, message) {
            (Protocol::Plain, Message::Text(text)) => return plain::on_text(&mut self.life, now, &text),
            (Protocol::Plain, Message::Binary(_)) => return self.close(now, Ending::BadMessage),
            (Protocol::SocketIo(_), Message::Text(text)) => Packet::decode(&text),
            (Protocol::SocketIo(_), message @ Message::Binary(_)) => Ok(Packet::Message(message)),
        };
        match packet {
            Ok(packet) => self.on_packet(now, Lane::WebSocket, packet),
            Err(error) => {
                tracing::debug!(%error, "received an unreadable packet");
                self.refuse_packet(now, Lane::WebSocket)
            }
        }
    }

    /// A packet of Engine.IO.
    pub(crate) fn on_packet(&mut self, now: Instant, lane: Lane, packet: Packet) -> Effects {
        let Some(socket_io) = self.as_socket_io() else { return Effects::new() };
        match socket_io.transport.receive(lane, packet) {
            Received::Message(message) => self.on_socket_io_message(now, message),
            Received::Closed => self.close(now, Ending::Left),
            Received::Violation => self.refuse_packet(now, lane),
            Received::Pong => self.life.prolong(now),
            Received::Probed => smallvec![Effect::Upgrade(UpgradeStep::Probed)],
            Received::Upgraded => {
                self.life.deadlines.upgrade = None;
                smallvec![Effect::Upgrade(UpgradeStep::Complete)]
            }
            Received::Nothing => Effects::new(),
        }
    }

    /// Handles a pong frame of the WebSocket, which counts only on `/ws`: Socket.IO has pings and pongs of its own.
    pub(crate) fn on_web_socket_pong(&mut self, now: Instant) -> Effects {
        if self.is_plain() { self.life.prolong(now) } else { Effects::new() }
    }

    /// Handles the loss of the WebSocket. Closes the connection, unless polling still carries it.
    pub(crate) fn on_web_socket_gone(&mut self, now: Instant, ending: Ending) -> Effects {
        if !self.is_polling() {
            return self.close(now, ending);
        }
        self.abandon_probe()
    }

    /// Handles the timer. `is_stalled`: the client has read nothing for too long.
    pub(crate) fn on_timer(&mut self, now: Instant, is_stalled: bool) -> Effects {
        if !self.life.deadlines.fire(now) {
            return Effects::new();
        }
        if let Some(ending) = self.life.ended {
            return smallvec![Effect::Close(Closing::Finish(ending))];
        }
        if self.life.deadlines.is_handshake_over(now) {
            return self.close(now, Ending::HandshakeTimeout);
        }
        let mut effects = Effects::new();
        if self.life.deadlines.upgrade.is_some_and(|at| at <= now) {
            effects.extend(self.abandon_probe());
        }
        if self.life.is_grace_over(now) {
            effects.extend(self.life.end_grace());
        }
        let beat = if is_stalled { Beat::Nothing } else { self.life.deadlines.heartbeat.beat(now) };
        match beat {
            _ if is_stalled => effects.extend(self.close(now, Ending::Slow)),
            Beat::Dead => effects.extend(self.close(now, Ending::Silent)),
            Beat::Ping => {
                effects.push(Effect::Send(if self.is_plain() {
                    Frame::ping()
                } else {
                    engineio::ping_frame()
                }));
                effects.extend(self.life.arm_next());
            }
            Beat::Nothing => effects.extend(self.life.arm_next()),
        }
        effects
    }

    /// Adds a socket that is let in; `None` if the connection has ended in the meantime. With `may_resume`, a client
    /// of `/ws` gets time to resume before live delivery of the log starts.
    pub(crate) fn on_admitted(
        &mut self,
        now: Instant,
        kind: NamespaceKind,
        socket: &Arc<str>,
        may_resume: Option<Position>,
    ) -> Option<Effects> {
        let effects = self.life.add_socket(now, kind, socket, may_resume)?;
        if let (Some(socket_io), Some(namespace)) = (self.as_socket_io(), kind.namespace()) {
            socket_io.namespaces.joined(namespace);
        }
        Some(effects)
    }

    /// Sends the refusal of a socket to the client, or closes the connection.
    pub(crate) fn on_refused(&mut self, now: Instant, kind: NamespaceKind, refusal: &Refusal) -> Effects {
        let refused = match (self.as_socket_io(), kind.namespace()) {
            (Some(socket_io), Some(namespace)) => {
                let data = refusal.data(kind);
                socket_io.refuse_once(Some(kind), namespace, &refusal.message, Some(&data))
            }
            _ => Err(plain::ending_of(refusal)),
        };
        refused.unwrap_or_else(|ending| self.close(now, ending))
    }

    /// Notes that a message has to wait for the rate limit. Closes the connection after too many such messages in a
    /// row.
    pub(crate) fn on_delayed_message(&mut self, now: Instant) -> Effects {
        if self.life.add_delayed_message(now) { self.close(now, Ending::RateLimited) } else { Effects::new() }
    }

    /// Makes a socket whose queue was full read the events after `from` in the log.
    pub(crate) fn on_fall_behind(&mut self, socket: &str, from: Position) -> Effects {
        self.life.fall_behind(socket, from)
    }

    /// Removes a socket whose session has ended, or closes the connection if no other socket is left.
    pub(crate) fn on_revoked(&mut self, now: Instant, socket: &str, reason: EndReason) -> Effects {
        let carrier = self.carrier();
        let (effects, left) = self.life.revoke(now, socket, reason, carrier);
        if let (Some(socket_io), Some(namespace)) =
            (self.as_socket_io(), left.and_then(NamespaceKind::namespace))
        {
            socket_io.namespaces.left(namespace);
        }
        effects
    }

    /// Closes the connection with all its sockets.
    pub(crate) fn close(&mut self, now: Instant, ending: Ending) -> Effects {
        let carrier = self.carrier();
        self.life.close(now, ending, carrier)
    }

    fn on_socket_io_message(&mut self, now: Instant, message: Message) -> Effects {
        let Protocol::SocketIo(socket_io) = &mut self.protocol else { return Effects::new() };
        #[cfg(feature = "conformance")]
        if let Some(responder) = &self.responder {
            self.life.deadlines.end_handshake();
            let responded = responder.on_message(socket_io, message);
            return responded.unwrap_or_else(|ending| self.close(now, ending));
        }
        if self.life.ended.is_some() {
            return Effects::new();
        }
        socket_io.on_message(&mut self.life, now, message).unwrap_or_else(|ending| self.close(now, ending))
    }

    /// Handles a packet that breaks the protocol: closes the connection, or only the WebSocket if it is still
    /// probing.
    pub(crate) fn refuse_packet(&mut self, now: Instant, lane: Lane) -> Effects {
        match lane {
            Lane::WebSocket => self.on_web_socket_gone(now, Ending::BadMessage),
            Lane::Polling => self.close(now, Ending::BadMessage),
        }
    }

    fn abandon_probe(&mut self) -> Effects {
        self.life.deadlines.upgrade = None;
        if let Some(socket_io) = self.as_socket_io() {
            socket_io.transport.abandon_probe();
        }
        smallvec![Effect::Upgrade(UpgradeStep::Abandon)]
    }

    fn carrier(&self) -> Carrier {
        match &self.protocol {
            Protocol::Plain => Carrier::Plain,
            Protocol::SocketIo(socket_io) if socket_io.transport.is_polling() => Carrier::Polling,
            Protocol::SocketIo(_) => Carrier::WebSocket,
        }
    }

    fn as_socket_io(&mut self) -> Option<&mut SocketIo> {
        match &mut self.protocol {
            Protocol::SocketIo(socket_io) => Some(socket_io),
            Protocol::Plain => None,
        }
    }
}
