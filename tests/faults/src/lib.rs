//! A deployment of two replicas of each service, on a private Postgres and Redis, in which anything
//! is killed, frozen and cut off while people work; and the account of what became of each event.
//!
//! [`Deployment`] is the world, [`Chaos`] breaks it, [`Producers`] commit events, [`Watcher`]s receive
//! them, and [`verdict`] compares what they received with what the database says was committed.
//! [`trial`] ends a session while something is broken, and sees to it that nothing of it is left.
//!
//! The binaries are run as they were built; a run is `cargo run -p faults`, and a short one is a test.

#![expect(clippy::disallowed_methods, reason = "tasks of a test program fail with it")]

mod chaos;
mod deployment;
mod endings;
mod outage;
mod producers;
mod replay;
mod run;
mod verdict;
mod watcher;

pub use chaos::Chaos;
pub use deployment::{Deployment, Replica};
pub use endings::{Ending, Trial, Trouble, trial};
pub use outage::{Outage, outage};
pub use producers::Producers;
pub use replay::{Replay, replay};
pub use run::{Plan, Report, run};
pub use verdict::{Account, Verdict, committed, verdict};
pub use watcher::{Received, Watcher};
