//! The audit log: who did what. Rows are only inserted, in the transaction of the change that they describe.

pub mod entity;

mod action;
mod handlers;
mod record;

pub use action::AuditAction;
pub use handlers::*;
pub use record::{RULES_ID, Record, Subject, record};
