//! Checks a plan before it is applied: whether it undoes an approved drift, or touches an undecided one. Stores
//! nothing.

mod check;
mod handler;
mod report;

pub use handler::*;
pub use report::{GuardReport, GuardedAction, GuardedDrift, Verdict};
