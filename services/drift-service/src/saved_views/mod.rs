//! Saved views of the list of drifts: a name for filters, an order and columns. A person keeps their own, and may share
//! them with everybody.

mod change;
mod entity;
mod handlers;

pub use change::*;
pub use handlers::*;
