//! Engine.IO, protocol 4: packets, polling payloads, the heartbeat and the life of a session's
//! transport. Pure: nothing here reads a socket or a clock.

mod error;
mod heartbeat;
mod packet;
mod payload;
mod transport;

pub use error::RequestError;
pub use heartbeat::{Beat, Heartbeat};
pub use packet::{Message, Packet, PacketError};
pub use payload::{decode_payload, encode_payload};
pub use transport::{Lane, Received, Transport};

/// The only protocol version spoken, as the `EIO` query parameter.
pub const PROTOCOL: &str = "4";

#[cfg(test)]
mod properties;
