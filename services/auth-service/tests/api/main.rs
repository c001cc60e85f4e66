//! The service over HTTP, on SQLite + in-process and on Postgres + Redis. `s` and a number in the name of a
//! test is the line of the security review that the test holds.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod abuse;
mod account_locks;
mod admin;
mod app;
mod audit;
mod bounds;
mod cookies;
mod creators;
mod events;
mod histories;
mod leaks;
mod limits;
mod login;
mod openapi;
mod operations;
mod outage;
mod passwords;
mod races;
mod refresh;
mod refresh_limits;
mod roles;
mod service_tokens;
mod sessions;
mod startup;
mod tokens;
