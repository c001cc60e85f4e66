//! Engine.IO, protocol 4: packets, polling payloads, the heartbeat and the life of a session's
//! transport. Pure: nothing here reads a socket or a clock.

mod heartbeat;
mod packet;
mod payload;
mod request_error;
mod transport;

pub(crate) use heartbeat::{Beat, Heartbeat};
pub(crate) use packet::{Message, Packet, ping_frame};
pub(crate) use payload::{decode_payload, encode_payload};
pub(crate) use request_error::RequestError;
pub(crate) use transport::{Lane, PROTOCOL, Received, Transport};

#[cfg(test)]
mod property_tests;
