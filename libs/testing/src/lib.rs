//! What tests need around the thing they test: private servers, clients and faults.
//!
//! * [`Backend`]: the two worlds every test runs in, SQLite + in-process and Postgres + Redis;
//!   [`Backend::start`] gives a test stores of its own.
//! * [`Client`] and [`Socket`]: HTTP and WebSocket callers as values.
//! * [`eventually`] and [`wait_for`]: wait for a condition, never for time.
//! * [`Process`], [`Proxy`] and [`PrivateRedis`]: binaries, connections and a Redis to break.
//!
//! Everything started here ends with the test, also when the test process is killed.
//! This crate panics instead of returning errors, and knows none of the services.

#![expect(clippy::disallowed_methods, reason = "tasks of tests fail with their test")]

mod backend;
mod client;
mod guard;
mod postgres;
mod process;
mod proxy;
mod redis_server;
mod socket;
mod waiting;

pub use backend::{Backend, Stores};
pub use client::{Answer, Client};
pub use postgres::PrivatePostgres;
pub use process::{Process, binary};
pub use proxy::Proxy;
pub use redis_server::PrivateRedis;
pub use reqwest::{Method, StatusCode};
pub use socket::Socket;
pub use waiting::{LIMIT, eventually, free_port, wait_for};
