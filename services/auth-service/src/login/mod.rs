//! Logins: the attempt, its limits, and the locks of accounts.

pub mod account_locks;
pub mod attempt;
pub mod by_mail;
pub mod failure;
pub mod guard;
pub mod handlers;
pub mod known_network;
pub mod log_in;
pub mod networks;
