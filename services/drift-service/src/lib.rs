//! Drifts, alerts, the decisions on them and the audit of both.
//!
//! The crate `scan` reads, rates, redacts and matches the uploads of scanners; [`ingest`] stores them.
//! [`drift`] contains the decisions and the lists. Users and sessions belong to auth-service. Other services
//! learn of changes from events, which are published through the outbox.

pub mod access;
pub mod alert;
pub mod as_of;
pub mod audit;
pub mod compat;
pub mod drift;
pub mod guard;
pub mod ingest;
pub mod legacy;
pub mod metrics;
pub mod rules;
pub mod saved_views;
pub mod scans;
pub mod stack;

mod actor;
mod answered_request;
mod audience;
mod background;
mod config;
mod error;
mod event_follower;
mod export;
mod migration;
mod money;
mod newest_position;
mod openapi;
mod page;
mod routes;
mod setting;
mod state;
mod text;
mod write;

pub use background::run_background;
pub use config::{Command, Config, Settings};
pub use migration::Migrator;
pub use openapi::openapi;
pub use routes::routes;
pub use state::State;
