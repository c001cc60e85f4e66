//! One-time links that are sent by mail.

pub mod entity;
pub mod handlers;
pub mod prepare;
pub mod proof;
pub mod refusal;
pub mod request;
pub mod revocation;
pub mod token;
pub mod uses;
