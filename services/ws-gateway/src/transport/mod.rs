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
#[cfg(feature = "simulation")]
pub mod simulated;
mod subscriber;
mod web_socket;
mod worker;

pub(crate) use client_bundle::routes as client_bundle_routes;
pub(crate) use connection::{Services, Sessions};
pub(crate) use drain::drain;
pub(crate) use engine::request as engine_request;
pub(crate) use plain::open as open_plain;
pub(crate) use worker::Worker;

#[cfg(test)]
mod dispatch_models;
#[cfg(test)]
mod enter_tests;
#[cfg(test)]
mod model_world;
#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod takeover_tests;
