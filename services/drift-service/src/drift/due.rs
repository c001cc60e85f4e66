//! Ends approvals and snoozes whose time is over.

use chrono::{DateTime, Utc};
use contracts::drift::Status;
use contracts::events::alert::AlertType;
use database::Transaction;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::decide::undecided;
use super::entity::{self, ActiveModel, Model};
use super::events::updated;
use super::live;
use crate::actor::Actor;
use crate::audit::{self, AuditAction, Record};
use crate::error::DriftError;
use crate::{State, alert};

/// Maximum number of drifts that one sweep changes.
const BATCH: u64 = 1_000;

/// Reopens drifts whose approval has expired, and shows snoozed drifts again, with an alert for each. Any number of
/// replicas may call this at the same time: the lock of the drift decides which one changes it.
///
/// # Errors
/// If the database fails.
pub async fn end_due(state: &State) -> Result<(), DriftError> {
    let now = state.platform.clock().now();
    for id in live::due(&state.database, now, BATCH).await? {
        end(state, id).await?;
    }
    Ok(())
}

async fn end(state: &State, id: Uuid) -> Result<(), DriftError> {
    let now = state.platform.clock().now();
    let mut tx = state.database.begin().await?;
    let Some(drift) = entity::lock(&tx, id).await? else { return Ok(()) };
    let is_over = |until: Option<DateTime<Utc>>| until.is_some_and(|until| until <= now);
    // Another replica may have changed the drift, or a person decided on it, before the lock was granted.
    if drift.status == Status::Approved && is_over(drift.approved_until) {
        let change = ActiveModel { status: Set(Status::Detected), ..undecided() };
        let record = Record {
            from: Some(drift.status.into_str()),
            to: Some(Status::Detected.into_str()),
            changed_fields: vec!["status"],
            ..Record::of_drift(id, AuditAction::DriftExpire)
        };
        announce(&mut tx, &drift, change, record, AlertType::ApprovalExpired, now).await?;
    } else if drift.status == Status::Detected && is_over(drift.snoozed_until) {
        let change = ActiveModel { snoozed_until: Set(None), ..Default::default() };
        let record =
            Record { changed_fields: vec!["snoozedUntil"], ..Record::of_drift(id, AuditAction::DriftUpdate) };
        announce(&mut tx, &drift, change, record, AlertType::SnoozeEnded, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn announce(
    tx: &mut Transaction,
    drift: &Model,
    change: ActiveModel,
    record: Record,
    alert_type: AlertType,
    now: DateTime<Utc>,
) -> Result<(), DriftError> {
    let service = Actor::service();
    let change = ActiveModel { updated_at: Set(now), ..change };
    entity::update_locked(tx, drift.id, change, true, false).await?;
    let drift = entity::by_id(tx, drift.id).await?.ok_or(DriftError::NotFound("drift"))?;
    audit::record(tx, &service, now, vec![record]).await?;
    alert::raise_again(tx, &service, alert::about(&drift, alert_type, now)).await?;
    tx.emit(updated(&drift));
    Ok(())
}
