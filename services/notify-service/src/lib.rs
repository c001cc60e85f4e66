//! Notifications: what happens is sent to where people and other systems look, as reliably as over sockets.
//!
//! [`intake`] reads the event log by position and stores, for each [`destination`] that wants an event, a delivery.
//! [`delivery`] sends deliveries at least once, in order for each subject, with retries. [`message`] writes what a
//! destination receives, and [`send`] is the only code that connects to an address that a person entered. [`slack_app`]
//! keeps threads in Slack, and takes decisions from there. Drifts, users and alerts belong to other services, of which
//! this one knows the events; it sends decisions to drift-service over HTTP.

pub mod delivery;
pub mod destination;
pub mod event;
pub mod intake;
pub mod message;
pub mod preview;
pub mod send;
pub mod slack_app;

mod background;
mod config;
mod error;
mod metrics;
mod migration;
mod openapi;
mod routes;
mod state;

pub use background::run_background;
pub use config::{Config, Settings};
pub use migration::Migrator;
pub use openapi::openapi;
pub use routes::routes;
pub use state::State;
