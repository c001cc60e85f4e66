//! Ingests scans: which drifts are new, unchanged, changed or resolved.
//!
//! An upload waits for its [`turns`], is received, read by the crate `scan`, matched with the stored drifts
//! ([`matching`]) and [`apply`]d in one transaction.

mod alerts;
mod apply;
mod handler;
mod matching;
mod report;
mod turns;

pub use alerts::raises_alert;
pub use apply::{Stamp, apply};
pub use handler::*;
pub use matching::{Coverage, match_stored};
pub use report::{IngestReport, IngestedDrift, StackReport};
pub use turns::{Turns, TurnsConfig};
