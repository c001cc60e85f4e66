//! The frames that wait to be written to one connection. [`Outbound`] has the operations for all who push
//! and take; its `queue` knows no locks and no errors.

mod queue;
mod slow_reader;
mod writers;

pub use queue::Written;
pub use slow_reader::{MAX_EVENT_BYTES, QUEUE_BYTES};
pub use writers::{Outbound, Pushed, write_to};
