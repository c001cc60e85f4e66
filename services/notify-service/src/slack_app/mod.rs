//! A Slack app with a bot token: one thread for each drift, and buttons that decide on it.
//!
//! [`deliver`] posts and edits messages. `interaction` receives the press of a button, `decide` sends the decision to
//! drift-service in the name of the person, whom a [`link`] names, and `reply` says to that person what became of it.

mod api;
mod code;
mod decide;
mod deliver;
mod drift_service;
mod handlers;
mod interaction;
pub mod link;
mod refusal;
mod reply;
mod signature;
pub mod thread;

pub use deliver::deliver;
pub use drift_service::DriftService;
pub use handlers::*;
pub use interaction::*;

#[cfg(test)]
mod refusal_tests;
