//! Writing the row of an upload, with its event and what it changes about its stack.

use chrono::{DateTime, Utc};
use contracts::events::scan::ScanStored;
use contracts::scan::Completeness;
use database::Transaction;
use scan::Origin;
use sea_orm::DbErr;
use uuid::Uuid;

use super::entity;
use crate::actor::Actor;
use crate::ingest::StackReport;
use crate::stack::{self, Received};

const MAX_REASON_CHARS: usize = 500;

/// Where an upload came from, as its sender says.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// Redacted.
    pub run_url: Option<String>,
    pub commit: Option<String>,
    pub account_id: Option<contracts::AccountId>,
}

/// The result of an upload for one stack.
pub struct ScanResult {
    pub id: Uuid,
    pub origin: Origin,
    pub taken_at: Option<DateTime<Utc>>,
    pub completeness: Completeness,
    /// The reason why it does not show all drifts.
    pub reason: Option<String>,
    pub counts: StackReport,
    pub ignored: usize,
    pub skipped: usize,
    pub warnings: Vec<String>,
    pub duration_millis: i64,
}

/// Stores the row of an upload for a locked stack.
///
/// # Errors
/// If the database fails.
pub async fn record(
    tx: &mut Transaction,
    stack: &stack::entity::Model,
    provenance: &Provenance,
    result: ScanResult,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let ScanResult { id, origin, taken_at, completeness, counts, .. } = result;
    let reason = result.reason.map(|reason| reason.chars().take(MAX_REASON_CHARS).collect::<String>());
    let account_id = provenance.account_id.as_deref().unwrap_or_default();
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let row = entity::Model {
        id,
        stack: stack.name.clone(),
        account_id: account_id.into(),
        received_at: now,
        taken_at,
        tool: origin.tool,
        tool_version: origin.version,
        format: origin.format,
        completeness,
        reason: reason.clone(),
        created: number(counts.created),
        changed: number(counts.changed),
        unchanged: number(counts.unchanged),
        resolved: number(counts.resolved),
        ignored: number(result.ignored),
        skipped: number(result.skipped),
        warnings: serde_json::json!(result.warnings).to_string(),
        sent_by: Some(actor.user_id.clone()),
        run_url: provenance.run_url.clone(),
        commit: provenance.commit.clone(),
        duration_millis: result.duration_millis,
    };
    entity::insert(tx, row).await?;
    tx.emit(ScanStored {
        id,
        stack: stack.name.clone(),
        completeness,
        created: counts.created,
        created_critical: counts.created_critical,
        changed: counts.changed,
        unchanged: counts.unchanged,
        resolved: counts.resolved,
        account_id: provenance.account_id.clone(),
    });
    let received = Received { scan_id: id, account_id, taken_at, completeness, reason: reason.as_deref() };
    stack::note_upload(tx, stack, received, actor, now).await
}
