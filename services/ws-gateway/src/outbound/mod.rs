//! The frames that wait to be written to one connection. [`Outbound`] locks the queue for all tasks that push or
//! write frames; `queue` itself takes no locks.

mod limits;
mod queue;
mod writers;

pub use limits::{MAX_EVENT_BYTES, QUEUE_BYTES};
pub use queue::Written;
pub use writers::{Outbound, Pushed, write_to};
