//! Engine.IO, protocol 4: packets, polling payloads, the heartbeat and the life of a session's
//! transport. Pure: nothing here reads a socket or a clock.

mod heartbeat;
mod packet;
mod payload;
mod request_error;
mod transport;

pub use heartbeat::{Beat, Heartbeat};
pub use packet::{Message, Packet, ping_frame};
pub use payload::{decode_payload, encode_payload};
pub use request_error::RequestError;
pub use transport::{Lane, PROTOCOL, Received, Transport};

#[cfg(test)]
mod property_tests;
