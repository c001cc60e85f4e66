//! Requests to addresses that people entered: guarded against addresses inside, bounded in size and time.
//!
//! [`Client`] sends. `guard` decides on URLs and addresses, by the classes of `addresses`; `resolver` asks it for each
//! address of a name just before the connection, so that a name cannot lead elsewhere after the check.

mod addresses;
mod client;
mod failure;
mod guard;
mod resolver;
mod retry_after;
mod signature;

pub use client::{Client, ClientConfig, Response};
pub use failure::Failure;
pub use guard::{Guard, UrlRefusal, check_url};
pub use signature::{WebhookSecret, sign};
