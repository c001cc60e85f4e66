//! The service over HTTP, on SQLite with the in-process backplane and on Postgres with Redis, and its requests to
//! receivers. A test whose name ends with `s` and a number proves that line of docs/SECURITY.md.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod addresses;
mod app;
mod certificates;
mod deliveries;
mod dns_server;
mod events;
mod inbox;
mod kills;
mod logs;
mod losses;
mod many_receivers;
mod names;
mod receipts;
mod receiver;
mod receivers;
mod schedules;
mod slack_interactions;
mod slack_links;
mod slack_server;
mod slack_threads;
