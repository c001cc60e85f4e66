//! Events and expiring keys, shared by every replica of every service: on Redis, or inside one
//! process.
//!
//! An event is appended to a log and announced on its channel in one atomic step, together with its
//! marks (ended sessions). A [`Feed`] receives announcements and reads missed events from the log: it
//! delivers every logged event once and in order, or reports that it cannot. Only the log gives a message
//! a position, and it proves the position; a publisher cannot forge one.
//!
//! No other crate uses `redis`. This crate does not interpret events.
//! Start with [`Backplane`]. The traits [`Log`], [`Marks`] and [`Keys`] list the guarantees;
//! `tests/conformance` checks them on every driver.

mod announcer;
mod backplane;
mod condition;
mod drivers;
mod epochs;
mod error;
mod feed;
mod feed_item;
mod keys;
mod link;
mod locks;
mod log;
mod marks;
mod memory;
mod message;
mod options;
mod page;
mod prefix;
mod redis;
mod server_check;
mod tls;
mod trace;

pub use announcer::Announcer;
pub use backplane::Backplane;
pub use condition::Condition;
pub use drivers::Drivers;
pub use epochs::Epochs;
pub use error::{Error, Result};
pub use feed::Feed;
pub use feed_item::{FeedItem, ResetReason};
pub use keys::{Hold, Keys, Put};
pub use link::Link;
pub use log::{Entry, Log, LogRead, UNLOGGED_IDS};
pub use marks::{Mark, Marks};
pub use memory::MemoryKeys;
pub use message::{Message, NotAPosition, Position};
pub use options::Options;
pub use prefix::{InvalidPrefix, Prefix};
pub use redis::server_urls;
pub use server_check::ServerCheck;
pub use tls::{ClientCertificate, Tls};
pub use trace::{current_trace, traced};
