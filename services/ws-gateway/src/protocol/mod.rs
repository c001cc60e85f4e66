//! The bytes and texts of the protocols. Pure: nothing here reads a socket, a clock or the backplane.

mod client_error;
mod ending;
pub mod engineio;
mod frame;
mod namespace;
mod notice;
pub mod plain;
mod refusal;
pub mod socketio;

pub use client_error::ClientError;
pub use ending::Ending;
pub use frame::{Frame, FrameKind};
pub use namespace::NamespaceKind;
pub use notice::{Notice, Unrecoverable};
pub use refusal::{Refusal, RefusalCode};
