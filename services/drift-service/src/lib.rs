//! Drifts, alerts, the decisions on them and the audit of both.
//!
//! What scanners upload is read, redacted and ruled in [`scan`]; reconciled with what is known and
//! stored in [`ingest`]; decided on and listed in [`drift`]. Users and sessions are auth-service's;
//! what happens here is told to others by events, through the outbox.

pub mod access;
pub mod alert;
pub mod audit;
pub mod drift;
pub mod ingest;
pub mod rules;
pub mod summary;

mod answered_request;
mod config;
mod error;
mod fingerprint;
mod migration;
mod money;
mod openapi;
mod page;
mod routes;
mod scan;
mod stack;
mod state;
mod text;
mod write;

pub use config::{Config, Settings};
pub use openapi::openapi;
pub use routes::routes;
pub use state::{State, run_background};
