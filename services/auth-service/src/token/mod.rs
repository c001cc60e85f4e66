//! Access tokens and refresh tokens: issuing, renewing, delivering.

pub mod access_token;
pub mod delivery;
pub mod handlers;
pub mod refresh_token;
pub mod rotation;
