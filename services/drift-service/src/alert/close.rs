//! Closing and deleting alerts.

use chrono::{DateTime, Utc};
use contracts::events::alert::AlertClosed;
use database::{IDS_PER_STATEMENT, Transaction};
use sea_orm::DbErr;
use uuid::Uuid;

use super::entity;
use crate::actor::Actor;
use crate::audit::{self, AuditAction, Record, Subject};

/// Closes the alerts of a drift for everybody.
pub async fn close_of_drift(
    tx: &mut Transaction,
    drift_id: Uuid,
    actor: &Actor,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    close_of_drifts(tx, &[drift_id], actor, at).await
}

/// Closes the alerts of drifts for everybody.
pub async fn close_of_drifts(
    tx: &mut Transaction,
    drift_ids: &[Uuid],
    actor: &Actor,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut ids = Vec::new();
    for chunk in drift_ids.chunks(IDS_PER_STATEMENT) {
        ids.extend(entity::close_of_drifts(tx, chunk, &actor.user_id, at).await?);
    }
    announce(tx, ids, actor, at).await
}

/// Closes the alerts about the silence of a stack for everybody.
pub async fn close_silence(
    tx: &mut Transaction,
    stack: &str,
    actor: &Actor,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let ids = entity::close_silence(tx, stack, &actor.user_id, at).await?;
    announce(tx, ids, actor, at).await
}

async fn announce(
    tx: &mut Transaction,
    ids: Vec<Uuid>,
    actor: &Actor,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let record = |id: &Uuid| Record {
        from: Some("unread"),
        to: Some("read"),
        ..Record::new(Subject::Alert(*id), AuditAction::AlertClose)
    };
    audit::record(tx, actor, at, ids.iter().map(record).collect()).await?;
    for id in ids {
        tx.emit(AlertClosed { id });
    }
    Ok(())
}

/// The audit record of the deletion of an alert.
pub fn deletion(alert: &entity::Model) -> Record {
    let from = Some(if alert.is_read { "read" } else { "unread" });
    Record { from, ..Record::new(Subject::Alert(alert.id), AuditAction::AlertDelete) }
}
