//! Passwords: which are accepted, how they are stored, and where the expensive work runs.

mod accepted;
mod blocklist;
mod fair_queue;
mod hasher;
mod prompt;
mod scheme;
mod strength;

pub use accepted::{Password, PasswordLength};
pub use blocklist::{Blocklist, build as build_blocklist};
pub use fair_queue::Step;
pub use hasher::{HashError, Overloaded, PasswordHasher};
pub use prompt::read_password;
pub use scheme::{is_bcrypt, unusable};
pub use strength::{PasswordPolicy, TooWeak};
