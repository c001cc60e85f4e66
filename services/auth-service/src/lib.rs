//! Users, sessions and tokens.
//!
//! A password opens a session, which lives until it expires or is revoked. Every service verifies access
//! tokens in memory. Only this service verifies refresh tokens. Every change of a user or a session holds the
//! lock of the user's row and publishes its events through the outbox.
//!
//! Start with [`routes`], then [`user::locked_user`] and [`session::changes`]. The rules are pure functions:
//! [`token::rotation`], [`session::lifetime`], [`token::refresh_token`].

pub mod audit;
pub mod compat;
pub mod invitation;
pub mod link;
pub mod login;
pub mod mail_queue;
pub mod password;
pub mod service_token;
pub mod session;
pub mod signing_key;
pub mod token;
pub mod user;

pub mod answers;
pub mod caller;
pub mod challenge;
pub mod error;
pub mod limit_settings;
pub mod limits;
pub mod metrics;
pub mod people_settings;
pub mod proof_of_work;
pub mod public_config;
pub mod refusals;
pub mod settings;
pub mod sweeper;

mod background;
mod config;
mod connect;
mod migration;
mod openapi;
mod routes;
mod shell_command;
mod state;

pub use background::run_background;
pub use config::{Command, Config};
pub use migration::Migrator;
pub use openapi::openapi;
pub use routes::{routes, routes_alone};
pub use settings::Settings;
pub use shell_command::ShellCommand;
pub use state::State;
