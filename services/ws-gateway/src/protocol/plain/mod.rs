//! The protocol of `/ws`: JSON messages on a plain WebSocket. Pure: nothing here reads a socket.

mod message;

pub(crate) use message::{BEARER_PREFIX, Command, PlainRequest, SUBPROTOCOL, ack};

#[cfg(test)]
mod property_tests;
