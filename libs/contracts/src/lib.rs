//! The wire types that every service shares: roles, token claims, the event catalogue, the event
//! envelope and the clock.
//!
//! Pure data: no I/O, no HTTP, no database. Start with [`Envelope`] and [`events`].

pub mod events;

mod claims;
mod clock;
mod envelope;
mod plausible;
mod role;
mod traceparent;

pub use claims::{AUDIENCE, Claims, Holder, ISSUER, TokenUse};
pub use clock::Clock;
pub use envelope::{Envelope, Event};
pub use plausible::{Timestamp, is_plausible};
pub use role::Role;
pub use traceparent::{NotATraceparent, Traceparent};
