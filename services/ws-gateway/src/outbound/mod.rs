//! The frames that wait to be written to one connection. [`Outbound`] locks the queue for all tasks that push or
//! write frames; `queue` itself takes no locks.

mod queue;
mod slow_reader;
#[cfg(test)]
pub(crate) mod slow_stream;
mod stream;
mod writers;

#[cfg(any(test, feature = "simulation"))]
pub(crate) use queue::Written;
pub(crate) use slow_reader::{MAX_EVENT_BYTES, QUEUE_BYTES};
pub(crate) use writers::{Outbound, Pushed};
