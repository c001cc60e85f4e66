//! The state of one client's connection. Pure: each input returns the effects that a transport executes.

mod closing;
mod deadlines;
mod delayed_messages;
mod effects;
mod life;
mod plain;
mod reply;
mod requests;
mod socket_io;
mod state;

pub use closing::{Afterwards, Backlog, Closing, Departure, Farewell, LastFrame, LastNotice, Parting};
pub use deadlines::Timing;
pub use effects::{
    Candidate, ClientRequest, Credentials, Effect, Effects, RequestAction, Resumption, RoomRequest,
    UpgradeStep,
};
pub use reply::Reply;
#[cfg(feature = "conformance")]
pub use socket_io::{Responder, SocketIo};
pub use state::ClientState;

#[cfg(test)]
mod closing_tests;
#[cfg(test)]
mod state_tests;
