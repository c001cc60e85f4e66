//! The service over HTTP, on SQLite + in-process and on Postgres + Redis. Tests whose names begin with
//! `s` and a number hold that line of the security review.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod abuse;
mod admin;
mod app;
mod audit;
mod bounds;
mod cookies;
mod events;
mod histories;
mod leaks;
mod login;
mod openapi;
mod operations;
mod outage;
mod passwords;
mod races;
mod refresh;
mod service_tokens;
mod sessions;
mod startup;
mod tokens;
