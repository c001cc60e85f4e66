//! Tokens of machines, and of people for other systems.

pub mod changes;
pub mod entity;
pub mod handlers;
pub mod personal;
