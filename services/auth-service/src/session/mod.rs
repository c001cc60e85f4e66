//! Sessions of devices: opening, using, ending.

pub mod changes;
pub mod device;
pub mod entity;
pub mod handlers;
pub mod lifetime;
