//! Browsers that stand in for the second factor at a login, if `TRUSTED_DEVICE_DAYS` allows it.

pub mod cookie;
pub mod entity;
pub mod handlers;
