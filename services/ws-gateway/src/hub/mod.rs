//! The authorized sockets of one worker thread, their rooms, and the delivery of events to them.
//!
//! There is one [`Hub`] per worker thread, fed by the relay ([`crate::relay`]) through its [`Inbox`], so that a
//! broadcast wakes each worker once, and an event for few sockets is written by the relay itself. Nothing in here
//! waits for a client: a frame is put into the queue of its connection. If the queue is full, the socket reads an
//! event of the log from there later ([`Subscriber::fall_behind`]); for any other frame, the connection is closed.

mod catch_up;
mod claims;
mod delivery;
mod hubs;
mod inbox;
mod member;
mod members;
mod owner;
mod rooms;
mod subscriber;
mod timers;

pub use catch_up::CatchUp;
pub use hubs::Hubs;
pub use inbox::{Inbox, Item};
pub use member::{Hears, Member};
pub use members::Hub;
pub use subscriber::{SocketRef, Subscriber};

#[cfg(test)]
mod delivery_cost_tests;
