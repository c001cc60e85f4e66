//! A deployment of two replicas of each service on a private Postgres and Redis, in which parts are killed,
//! frozen and disconnected under load. Afterwards, every event is accounted for.
//!
//! [`Deployment`] is the system, on one Redis, on one with Sentinels, or on a cluster. [`Chaos`] chooses the
//! [`Fault`]s, [`Producers`] commit events, and [`Watcher`]s receive them. [`verdict`] compares what they
//! received with what was committed according to the database. [`trial`] ends a session during a fault, and
//! checks that nothing of the session remains.
//!
//! The runs use the built binaries. `target/debug/faults` starts a long run; a short one is a test.

#![expect(clippy::disallowed_methods, reason = "tasks of a test program fail with it")]
#![expect(clippy::expect_used, reason = "a test cannot go on without its surroundings")]

mod chaos;
mod deployment;
mod endings;
mod fault;
mod outage;
mod producers;
mod redis;
mod replay;
mod run;
mod strike;
mod verdict;
mod watcher;

pub use chaos::Chaos;
pub use deployment::{Deployment, Replica};
pub use endings::{Ending, Trial, trial};
pub use fault::Fault;
pub use outage::{Outage, outage};
pub use producers::Producers;
pub use redis::{Redis, RedisFault, RedisKind};
pub use replay::{Replay, replay};
pub use run::{Plan, Report, run};
pub use strike::{Effects, Struck};
pub use verdict::{Account, Verdict, committed, verdict};
pub use watcher::{Received, Watcher};
