//! The surroundings of tests: private servers, clients and faults.
//!
//! * [`Backend`]: the two backends that every test runs on, SQLite + in-process and Postgres + Redis.
//!   [`Backend::start`] starts private stores for a test.
//! * [`Client`] and [`Socket`]: HTTP and WebSocket clients as values.
//! * [`eventually`] and [`wait_for`]: wait for a condition, never for a time span.
//! * [`interleavings::check`]: runs code in many interleavings of its threads.
//! * [`Process`], [`Proxy`] and [`PrivateRedis`]: binaries, connections and a Redis to break.
//! * [`PrivateSmtp`]: a mail server that accepts, refuses or stalls, and the mails that it received.
//!
//! Everything that is started here ends with the test, even if the test process is killed.
//! This crate panics instead of returning errors, and depends on none of the services.

#![expect(clippy::disallowed_methods, reason = "tasks of tests fail with their test")]
#![expect(clippy::expect_used, reason = "a test cannot go on without its surroundings")]

mod backend;
mod client;
mod guard;
pub mod interleavings;
mod pooler;
mod postgres;
mod process;
mod proxy;
mod redis_cluster;
mod redis_process;
mod redis_replication;
mod redis_sentinel;
mod redis_server;
mod redis_settings;
mod smtp;
mod socket;
mod tables;
mod tls;
mod waiting;

pub use backend::{Backend, Stores};
pub use client::{Answer, Client};
pub use pooler::PrivatePooler;
pub use postgres::PrivatePostgres;
pub use process::{Process, binary};
pub use proxy::Proxy;
pub use redis_cluster::PrivateCluster;
pub use redis_sentinel::PrivateSentinels;
pub use redis_server::PrivateRedis;
pub use reqwest::{Method, StatusCode};
pub use smtp::{PrivateSmtp, ReceivedMail, SmtpMode};
pub use socket::Socket;
pub use tables::{execute, read_all_tables};
pub use tls::{Authority, Identity};
pub use waiting::{LIMIT, eventually, free_port, wait_for};
