//! The audit log: who did what. Rows are only inserted, in the transaction of the change that they describe.

pub mod entity;

mod action;
mod export;
mod handlers;
mod record;

pub use action::AuditAction;
pub use export::*;
pub use handlers::*;
pub use record::{RULES_ID, Record, Subject, record};
