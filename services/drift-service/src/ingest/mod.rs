//! Takes a scan in: what is new, what was seen again, what changed, what is gone.

mod apply;
mod handler;
mod reconcile;

use std::collections::{BTreeMap, HashSet};

use outbox::Transaction;
use sea_orm::DbErr;
use serde::Serialize;
use utoipa::ToSchema;

pub use apply::{Stamp, apply, raises_alert};
pub use handler::*;
pub use reconcile::{Reconciliation, Sighting};

use crate::drift::entity;

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

/// What sightings tell of.
#[derive(Clone, Copy)]
pub struct Coverage<'a> {
    pub stack: &'a str,
    pub account_id: Option<&'a str>,
    /// What was not sighted is gone.
    pub is_complete: bool,
}

/// Compares sightings with what is known of a stack that the transaction has locked.
pub async fn compare(
    tx: &Transaction,
    sightings: Vec<Sighting>,
    coverage: Coverage<'_>,
) -> Result<Reconciliation, DbErr> {
    let mut live = entity::lock_live(&**tx, coverage.stack).await?;
    let known: HashSet<&str> = live.iter().map(|drift| drift.fingerprint.as_str()).collect();
    let fingerprints = sightings.iter().map(|sighting| sighting.fingerprint.as_str());
    let unknown: Vec<&str> = fingerprints.filter(|fingerprint| !known.contains(fingerprint)).collect();
    let resolved = entity::last_resolved(&**tx, &unknown).await?;
    if coverage.account_id.is_some() {
        live.retain(|drift| drift.account_id.as_deref() == coverage.account_id);
    }
    Ok(reconcile::reconcile(sightings, live, resolved, coverage.is_complete))
}
