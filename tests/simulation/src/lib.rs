//! Runs the real parts of all services in virtual time, on one thread, over simulated edges, while things break.
//! A seed determines everything: which faults happen, every delay, and every random byte.
//!
//! Start with `run.rs`, then `plan.rs` for the faults and `checks.rs` for the invariants. docs/RELIABILITY.md describes
//! the model.

mod checks;
mod client;
mod commands;
mod data;
mod database;
mod driver;
mod entropy;
#[cfg(test)]
mod found;
mod frames;
mod isolate;
mod kind;
mod messages;
mod notes;
mod panics;
mod plan;
mod process;
mod redis;
mod requests;
mod run;
mod session;
mod shrink;
mod spawn;
mod strike;
mod subscriber;
mod view;
mod world;

pub use plan::Plan;
pub use run::{Outcome, run};
pub use shrink::shrink;
pub use world::{Violation, Without};
