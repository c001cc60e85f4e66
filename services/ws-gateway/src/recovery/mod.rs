//! Lets disconnected clients resume, here or on another replica. Their rooms stay in the backplane for a while, and
//! the log has the events that they missed.

mod history;
mod kept;
mod store;

pub(crate) use history::History;
pub(crate) use kept::{KeptSocket, private_id, socket_of};
pub(crate) use store::Recovery;
