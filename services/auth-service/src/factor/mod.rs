//! Second factors: authenticator apps (TOTP), recovery codes, and the rules that passkeys share with them.

pub mod changes;
pub mod enrol;
pub mod handlers;
pub mod listing;
pub mod proof;
pub mod recovery_code;
pub mod totp;
pub mod totp_factor;
