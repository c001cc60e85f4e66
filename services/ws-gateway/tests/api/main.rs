//! The gateway from outside: a real server, clients that speak the protocols, on both backplanes.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod abuse;
mod admin;
mod app;
mod authentication;
mod bad_input;
mod bursts;
mod client;
mod close_codes;
mod conformance;
mod ending;
mod engine;
mod events;
mod failover;
mod faults;
mod high_availability;
mod limits;
mod plain;
mod positions;
mod receipts;
mod recovery;
mod refusals;
mod relay;
mod revocation;
mod slow;
mod soak;
mod stock;
mod takeover;
mod token_life;
