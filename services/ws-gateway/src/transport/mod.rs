//! The connections of clients: long-polling on actix-web, and WebSockets for Socket.IO and `/ws`, whose handshake
//! is actix-ws's and whose stream is ours. The transports read and write; [`crate::client`] decides, and
//! `execute` carries the effects out.

mod admit;
mod client_bundle;
mod close;
mod connection;
mod drain;
mod engine;
mod enter;
mod execute;
mod incoming;
mod messages;
mod perform;
mod plain;
mod polling;
mod reassembly;
mod recover;
mod registry;
mod replay;
mod requests;
mod subscriber;
mod web_socket;
mod worker;

pub use client_bundle::routes as client_bundle_routes;
pub use connection::{Services, Sessions};
pub use drain::drain;
pub use engine::request as engine_request;
pub use plain::open as open_plain;
pub use worker::Worker;

#[cfg(test)]
mod enter_tests;
#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod takeover_tests;
