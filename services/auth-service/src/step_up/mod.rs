//! Step-up: a second factor in an open session, which sensitive actions need.

pub mod handlers;
pub mod over_sockets;
mod raise;
mod require;

pub use raise::{Raised, confirm_again, step_up};
pub use require::{methods, require, require_for_factors};
