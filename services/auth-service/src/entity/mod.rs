//! The tables of this service and their queries. Handlers never build a query.

pub mod audit_log;
pub mod login_failure;
pub mod login_network;
pub mod service_token;
pub mod session;
pub mod user;

mod stored;

pub use stored::{StoredReason, StoredRole};
