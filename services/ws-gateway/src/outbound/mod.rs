//! The frames that wait to be written to one connection. [`Outbound`] has the operations for all who push
//! and take; its `queue` knows no locks and no errors.

mod limits;
mod queue;
mod writers;

pub use limits::{MAX_EVENT_BYTES, QUEUE_BYTES};
pub use queue::Written;
pub use writers::{Outbound, Pushed, write_to};
