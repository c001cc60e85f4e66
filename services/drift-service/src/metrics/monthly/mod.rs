//! The report of a month: what opened, who decided and how fast, and what was accepted at its end. All numbers are
//! counted in the database. `docs/DRIFT.md` says how.

mod at_end;
mod counts;
mod decisions;
mod handler;
mod month;
mod view;

pub use handler::*;
pub use view::*;
