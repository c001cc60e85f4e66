//! Takes a scan in: what is new, what was seen again, what changed, what is gone.

mod apply;
mod handler;
mod reconcile;

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

pub use handler::*;

/// What became of an upload.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngestReport {
    /// New drifts.
    pub created: usize,
    /// Drifts seen again in the same state.
    pub unchanged: usize,
    /// Drifts seen in another state: updated where nobody had decided, else replaced by a new one.
    pub changed: usize,
    /// Drifts that a complete scan did not find any more.
    pub resolved: usize,
    /// Drifts that the ignore rules cover.
    pub ignored: usize,
    /// Entries that hold no drift, or can't be taken.
    pub skipped: usize,
    pub skipped_reasons: BTreeMap<&'static str, usize>,
    pub warnings: Vec<String>,
    /// Nothing was stored.
    pub dry_run: bool,
}
