//! Events and expiring keys, shared by every replica of every service: on Redis, or inside one
//! process.
//!
//! An event is appended to a log and announced on its channel in one atomic step, together with its
//! marks (ended sessions). A [`Feed`] receives announcements and reads missed events from the log: it
//! delivers every logged event once and in order, or reports that it cannot. Only the log gives a message
//! a position, and it proves the position; a publisher cannot forge one.
//!
//! No other crate uses `redis`. This crate does not interpret events.
//! Start with [`Backplane`]. `driver.rs` lists the guarantees; `tests/conformance` checks them on both
//! drivers.

mod backplane;
mod driver;
mod feed;
mod link;
mod memory;
mod message;
mod options;
mod queue;
mod redis;
mod tls;
mod trace;

pub use backplane::Backplane;
pub use driver::{Entry, Error, Hold, LogRead, Mark, Put, Result};
pub use feed::{Feed, FeedItem, ResetReason};
pub use link::Link;
pub use message::{Message, Position};
pub use options::Options;
pub use tls::{ClientCertificate, Tls};
pub use trace::{current_trace, traced};
