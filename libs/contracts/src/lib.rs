//! The wire types that every service shares: roles, token claims, the event catalogue and the event
//! envelope. Also the two inputs of every process: its clock and its tasks.
//!
//! No I/O, no HTTP, no database. Start with [`Envelope`] and [`events`].

pub mod drift;
pub mod events;
pub mod scan;

mod account_id;
mod claims;
mod clock;
mod event_envelope;
mod json;
mod named;
mod plausible;
mod role;
mod sampler;
mod tasks;
mod traceparent;

pub use account_id::AccountId;
pub use claims::{AUDIENCE, Claims, Holder, ISSUER, TokenUse};
pub use clock::Clock;
pub use event_envelope::{Envelope, Event};
pub use json::parse_json;
pub use plausible::{Timestamp, is_plausible};
pub use role::Role;
pub use sampler::Sampler;
pub use tasks::Tasks;
pub use traceparent::{NotATraceparent, Traceparent};
