//! Drifts, alerts and the audit log of the replaced monolith.
//!
//! Everything keeps its id, so that a second import changes nothing. No event is published and no alert is raised:
//! nothing has happened.

mod alerts;
mod audit;
mod decision;
mod drifts;
mod live_drifts;

use anyhow::Result;
use chrono::{DateTime, Utc};
use database::Transaction;
use legacy::{Accounts, Imported, Snapshot};
use scan::rules::Rules;

use crate::State;

/// Stands for the import in the audit log.
const ACTOR: &str = "import-legacy";

/// Imports the rows that are not here yet, in one transaction that is not committed. Returns `None` if the source has
/// no drifts.
///
/// # Errors
/// If a database is unavailable, or a row cannot be read.
pub async fn import(state: &State, source: &Snapshot) -> Result<Imported> {
    if !source.has_column("drifts", "detected_by").await? {
        return Ok(None);
    }
    let accounts = Accounts::read(source).await?;
    let (tx, now) = (state.database.begin().await?, state.platform.clock().now());
    tx.prefer_indexes().await?;
    let rules = state.rules.hold(&tx).await?;
    let import = Import { state, tx: &tx, rules: &rules.rules, source, accounts: &accounts, now };
    let mut reports = vec![import.import_drifts().await?];
    if source.has_column("alerts", "is_read").await? {
        reports.push(import.import_alerts().await?);
    }
    if source.has_column("audit_logs", "new_value").await? {
        reports.push(import.import_audit().await?);
    }
    Ok(Some((tx, reports)))
}

struct Import<'a> {
    state: &'a State,
    tx: &'a Transaction,
    rules: &'a Rules,
    source: &'a Snapshot,
    accounts: &'a Accounts,
    now: DateTime<Utc>,
}

impl Import<'_> {
    /// Returns a text of a person, redacted and bounded.
    fn text(&self, text: Option<String>, characters: usize) -> Option<String> {
        text.map(|text| self.state.redacted(&text).chars().take(characters).collect())
    }
}
