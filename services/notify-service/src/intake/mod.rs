//! The way of events from the log to the deliveries for the destinations that want them.

pub mod consumer;
pub mod cursor;
pub mod entity;
pub mod erase;
mod fan_out;

pub use fan_out::{Matchers, hand_over_again};
