//! Mails: rows that are written with the change that causes them, and the worker that sends them.

pub mod deliver;
pub mod dev_mailbox;
pub mod entity;
pub mod handlers;
pub mod mailer;
pub mod render;
