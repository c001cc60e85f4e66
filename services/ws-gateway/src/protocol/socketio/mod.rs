//! Socket.IO, protocol 5, over the messages of an Engine.IO session: packets, their binary
//! attachments, and the namespaces that a connection has joined. Pure: nothing here reads a socket.

mod decoder;
mod encode;
mod namespaces;
mod packet;

pub(crate) use decoder::Decoder;
#[cfg(any(test, feature = "conformance"))]
pub(crate) use encode::packet;
pub(crate) use encode::{ack, connect, connect_error, disconnect, event};
pub(crate) use namespaces::{Action, Namespaces};
#[cfg(test)]
pub(crate) use packet::RESERVED_EVENTS;
#[cfg(any(test, feature = "conformance"))]
pub(crate) use packet::{Content, SocketPacket};
#[cfg(test)]
pub(crate) use packet::{DecodeError, Header};

#[cfg(test)]
mod property_tests;
