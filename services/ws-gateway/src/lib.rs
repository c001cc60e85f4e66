//! The realtime gateway: Socket.IO for stock clients and plain WebSocket, rooms, and the relay of
//! events from the backplane. It has no database, and knows nothing about the events beyond its catalogue.
//!
//! From the bottom up: the pure protocols (`protocol`), the routes of events (`catalogue`), the queue of a
//! connection (`outbound`), the sockets of a worker thread (`hub`), the replicas (`cluster`), the limits
//! (`admission`) and missed events (`recovery`), the pure state of a client (`client`), the connections
//! (`transport`), and the relay that feeds the hubs (`relay`). Start with `client` for incoming messages, and with
//! `relay` for outgoing events.

mod admin;
mod admission;
mod background;
mod batch_writer;
mod catalogue;
mod client;
mod cluster;
mod config;
#[cfg(feature = "conformance")]
#[doc(hidden)]
pub mod conformance;
#[cfg(test)]
mod documented_tests;
#[cfg(feature = "conformance")]
#[doc(hidden)]
pub mod fuzzing;
mod hub;
mod locks;
mod metrics;
mod openapi;
mod outbound;
mod own_sockets;
mod protocol;
mod random_id;
mod receipts;
mod recovery;
mod relay;
mod routes;
mod state;
mod transport;

pub use background::run_background;
pub use config::{Config, Settings};
pub use openapi::openapi;
pub use routes::routes;
pub use state::State;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub use transport::simulated;
