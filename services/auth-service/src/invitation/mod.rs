//! Invitations: links that create a user with a role that an admin chose.

pub mod accept;
pub mod entity;
pub mod handlers;
pub mod invite;
