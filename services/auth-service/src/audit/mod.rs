//! The audit log: who did what.

pub mod action;
pub mod entity;
pub mod handlers;
