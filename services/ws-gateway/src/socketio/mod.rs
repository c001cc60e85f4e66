//! Socket.IO, protocol 5, over the messages of an Engine.IO session: packets, their binary
//! attachments, and which namespaces a connection is in. Pure: nothing here reads a socket.

mod connection;
mod decoder;
mod encode;
mod packet;

pub use connection::{Action, Connection};
pub use decoder::Decoder;
pub use encode::{ack, connect, connect_error, disconnect, event, packet};
#[cfg(test)]
pub use packet::RESERVED_EVENTS;
pub use packet::{Content, DecodeError, Header, Packet};

#[cfg(test)]
mod properties;
