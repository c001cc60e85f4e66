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

pub(crate) use closing::{Afterwards, Backlog, Closing, Departure, Farewell, LastFrame, LastNotice, Parting};
pub(crate) use deadlines::Timing;
pub(crate) use effects::{
    Candidate, ClientRequest, Credentials, Effect, Effects, RequestAction, ResumeFrom, Resumption,
    RoomRequest, UpgradeStep,
};
pub(crate) use reply::Reply;
#[cfg(feature = "conformance")]
pub(crate) use socket_io::{Responder, SocketIo};
pub(crate) use state::ClientState;

#[cfg(test)]
mod closing_tests;
#[cfg(test)]
mod state_tests;
