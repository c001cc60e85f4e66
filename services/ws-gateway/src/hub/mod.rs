//! The authorized sockets of one worker thread, their rooms, and the delivery of events to them.
//!
//! There is one [`Hub`] per worker thread, fed by the relay ([`crate::relay`]) through its [`Inbox`], so that a
//! broadcast wakes each worker once, and an event for few sockets is written by the relay itself. Nothing in here
//! waits for a client: a frame is put into the queue of its connection. If the queue is full, the socket reads an
//! event of the log from there later ([`Subscriber::fall_behind`]); for any other frame, the connection is closed.
//!
//! Every call names a socket by its [entrance](Member::entrance), so that a task of a connection never acts on a
//! socket that another connection resumed.

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

pub(crate) use catch_up::CatchUp;
pub(crate) use hubs::Hubs;
pub(crate) use inbox::{Inbox, Item};
pub(crate) use member::{Hears, Member};
pub(crate) use members::Hub;
pub(crate) use subscriber::{SocketRef, Subscriber};

#[cfg(test)]
mod delivery_cost_tests;
