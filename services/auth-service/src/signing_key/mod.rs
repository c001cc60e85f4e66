//! The keys that sign access tokens, if the settings name none: created here, stored encrypted, announced to every
//! service before they sign, and replaced from time to time.

pub mod entity;
pub mod replacement;
pub mod rotate_keys;
pub mod schedule;
