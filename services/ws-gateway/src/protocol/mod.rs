//! The bytes and texts of the protocols. Pure: nothing here reads a socket, a clock or the backplane.

mod client_error;
mod ending;
pub(crate) mod engineio;
mod frame;
mod namespace;
mod notice;
pub(crate) mod plain;
mod refusal;
pub(crate) mod socketio;

pub(crate) use client_error::ClientError;
pub(crate) use ending::Ending;
pub(crate) use frame::{Frame, FrameKind};
pub(crate) use namespace::NamespaceKind;
pub(crate) use notice::{Notice, Unrecoverable};
pub(crate) use refusal::{Refusal, RefusalCode};
