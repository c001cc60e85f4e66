//! Decides who may open a socket, how many, and how many messages a client may send. Needs no socket.

mod authorize;
mod held_slots;
mod peer;
mod quotas;
mod revocation;

pub use authorize::{Admission, MESSAGE_WINDOW};
pub use held_slots::HeldSlots;
pub use peer::Peer;
pub use quotas::{QuotaLimits, Quotas};
pub use revocation::{RevocationLag, close_revoked_sockets};

#[cfg(test)]
mod admission_tests;
