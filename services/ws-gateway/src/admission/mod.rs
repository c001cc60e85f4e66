//! Decides who may open a socket, how many, and how many messages a client may send. Needs no socket.

mod authorize;
mod held_slots;
mod peer;
mod quotas;
mod revocation;

pub(crate) use authorize::{Admission, MESSAGE_WINDOW};
pub(crate) use held_slots::HeldSlots;
pub(crate) use peer::Peer;
#[cfg(test)]
pub(crate) use quotas::Taking;
pub(crate) use quotas::{QuotaLimits, Quotas};
pub(crate) use revocation::{RevocationLag, close_revoked_sockets};

#[cfg(test)]
mod admission_tests;
