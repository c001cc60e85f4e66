//! Brings clients back that were cut off, here or on another replica: their rooms are kept in the backplane
//! for a while, and the events they missed are in the log.

mod history;
mod kept;
mod store;

pub use history::History;
pub use kept::{KeptSocket, parse_offset, private_id, socket_of};
pub use store::Recovery;
