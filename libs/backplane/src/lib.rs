//! Events and expiring keys, shared by every replica of every service: on Redis, or inside one
//! process.
//!
//! An event is appended to a log and announced on its channel in one atomic step, together with the
//! marks (ended sessions) it brings. A [`Feed`] hears announcements, and reads the log wherever it
//! missed some: it delivers every logged event once and in order, or reports that it cannot. A
//! publisher cannot give a message a position: only the log can, and proves it.
//!
//! Only this crate names `redis`. It knows nothing of what the events mean.
//! Start with [`Backplane`]; the guarantees are in `driver.rs`, and `tests/conformance` holds both
//! drivers to them.

mod backplane;
mod driver;
mod feed;
mod memory;
mod message;
mod queue;
mod redis;
mod trace;

pub use backplane::{Backplane, Link, Options};
pub use driver::{Entry, Error, Hold, LogRead, Mark, Put, Result};
pub use feed::{Feed, FeedItem, ResetReason};
pub use message::{Message, Position};
pub use trace::{current_trace, traced};
