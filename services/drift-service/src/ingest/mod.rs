//! Ingests scans, and decides which drifts are new, unchanged, changed or resolved.
//!
//! An upload waits for its [`Turn`](platform::Turn)s and is received. The crate `scan` reads it, [`match_stored`] compares it
//! with the stored drifts, and [`apply`] writes the changes in one transaction.

mod alerts;
mod apply;
mod costs;
mod handler;
mod match_stored;
mod query;
mod report;
mod store;
mod upload;

pub use alerts::raises_alert;
pub use apply::{Stamp, apply};
pub use costs::Costs;
pub use handler::*;
pub use match_stored::{Coverage, match_stored};
pub use query::Source;
pub use report::{IngestReport, IngestedDrift, StackReport};
pub use upload::{Contents, Upload, reading_deadline};
