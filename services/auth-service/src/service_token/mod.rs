//! Tokens of machines.

pub mod changes;
pub mod entity;
pub mod handlers;
