use super::packet::{Message, Packet};

/// The only protocol version spoken, as the `EIO` query parameter.
pub(crate) const PROTOCOL: &str = "4";

/// The transport on which a packet arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Polling,
    WebSocket,
}

/// The transport of a session.
///
/// Inputs: a WebSocket that wants to take over ([`Transport::probe`]), packets ([`Transport::receive`]), and a
/// WebSocket that gave up or took too long ([`Transport::abandon_probe`]). A session opened on a WebSocket stays
/// there; one opened by polling may move there once. The session ends with a close packet, or with a packet that the
/// protocol forbids at that point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Polling,
    /// Polling still carries the packets; a WebSocket has connected, and was probed if `probed`.
    Upgrading {
        probed: bool,
    },
    WebSocket,
}

/// The meaning of a packet for the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Nothing,
    Message(Message),
    Pong,
    /// The WebSocket gets `3probe`, and a noop releases the waiting GET.
    Probed,
    /// From here on the WebSocket carries everything.
    Upgraded,
    /// The client closed the session.
    Closed,
    /// The packet breaks the protocol; the session ends.
    Violation,
}

impl Transport {
    /// Whether polling requests are still served.
    pub(crate) fn is_polling(self) -> bool {
        self != Self::WebSocket
    }

    /// Begins the upgrade to a WebSocket. Returns false if another WebSocket has begun one: the new WebSocket is
    /// closed.
    pub(crate) fn probe(&mut self) -> bool {
        if *self != Self::Polling {
            return false;
        }
        *self = Self::Upgrading { probed: false };
        true
    }

    /// Continues with polling after the loss of the WebSocket that probed.
    pub(crate) fn abandon_probe(&mut self) {
        if matches!(self, Self::Upgrading { .. }) {
            *self = Self::Polling;
        }
    }

    pub(crate) fn receive(&mut self, lane: Lane, packet: Packet) -> Received {
        match (*self, lane) {
            (Self::Upgrading { probed }, Lane::WebSocket) => self.receive_on_probe(probed, packet),
            (Self::WebSocket, Lane::WebSocket) | (Self::Polling | Self::Upgrading { .. }, Lane::Polling) => {
                match packet {
                    Packet::Message(message) => Received::Message(message),
                    Packet::Pong(_) => Received::Pong,
                    Packet::Close => Received::Closed,
                    Packet::Noop => Received::Nothing,
                    Packet::Open(_) | Packet::Ping(_) | Packet::Upgrade => Received::Violation,
                }
            }
            (Self::Polling, Lane::WebSocket) | (Self::WebSocket, Lane::Polling) => Received::Violation,
        }
    }

    fn receive_on_probe(&mut self, probed: bool, packet: Packet) -> Received {
        match packet {
            Packet::Ping(data) if data == "probe" && !probed => {
                *self = Self::Upgrading { probed: true };
                Received::Probed
            }
            Packet::Upgrade if probed => {
                *self = Self::WebSocket;
                Received::Upgraded
            }
            _ => Received::Violation,
        }
    }
}
