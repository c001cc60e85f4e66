//! The protocol of `/ws`: JSON messages on a plain WebSocket. Pure: nothing here reads a socket.

mod message;

pub use message::{Command, Request, ack};

/// The subprotocol that a client may ask for, next to `bearer.<token>`.
pub const SUBPROTOCOL: &str = "driftsentry.v1";
/// What goes before the token among the subprotocols that a client offers.
pub const BEARER_PREFIX: &str = "bearer.";

#[cfg(test)]
mod properties;
