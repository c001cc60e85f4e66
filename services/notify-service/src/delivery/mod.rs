//! Deliveries: sent at least once, in order for each subject, with retries for a day. A slow destination delays no
//! other one.

mod again;
mod attempt;
pub mod backoff;
mod compose;
pub mod dispatcher;
pub mod entity;
mod failure;
mod handlers;
mod listing;
mod receipt;
mod record;
mod replay;
pub mod upkeep;

pub use again::delete_of;
pub use attempt::{Outcome, send};
pub use compose::{About, Message, write};
pub use failure::DeliveryFailure;
pub use handlers::*;
pub use replay::*;
