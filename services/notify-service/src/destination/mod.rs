//! Destinations: the places that receive notifications, with their rules and schedules.

pub mod entity;
pub mod rules;
pub mod schedule;
pub mod signing;
pub mod target;

mod change;
mod checks;
mod handlers;
mod secret;
mod test;
mod view;

pub use change::*;

pub use handlers::*;
pub use secret::*;
pub use test::*;
