//! Alerts: what somebody should look at.

pub mod entity;

mod handlers;

use chrono::{DateTime, Utc};
use contracts::events::alert::{AlertCreated, AlertRead};
use outbox::Transaction;
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use handlers::*;

use crate::access::Actor;
use crate::audit::{self, Record, Subject};
use crate::drift;
use crate::rules::Severity;

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
    strum::EnumIter,
    sea_orm::DeriveActiveEnum,
    strum::IntoStaticStr,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum AlertType {
    DriftDetected,
    SeverityEscalated,
    ApprovalNeeded,
    RemediationFailed,
}

/// What an alert says of a drift.
pub fn about(
    drift_id: Uuid,
    address: &str,
    kind: drift::Kind,
    severity: Severity,
    alert_type: AlertType,
    at: DateTime<Utc>,
) -> entity::Model {
    let what = match kind {
        drift::Kind::Changed => "differs from what was declared",
        drift::Kind::Missing => "is gone",
        drift::Kind::Unmanaged => "was declared by nobody",
    };
    let title = match alert_type {
        AlertType::SeverityEscalated => format!("Drift is now {}: {address}", severity.into_str()),
        _ => format!("Drift, {}: {address}", severity.into_str()),
    };
    entity::Model {
        id: Uuid::now_v7(),
        drift_id: Some(drift_id),
        alert_type,
        severity,
        title: title.chars().take(255).collect(),
        message: format!("{address} {what}.").chars().take(2000).collect(),
        created_at: at,
        is_read: false,
        read_at: None,
        read_by: None,
    }
}

/// Stores alerts with their events and audit rows. One that a drift already has is left out.
pub async fn raise(tx: &mut Transaction, actor: &Actor, alerts: Vec<entity::Model>) -> Result<(), DbErr> {
    let Some(at) = alerts.first().map(|alert| alert.created_at) else { return Ok(()) };
    let records = alerts
        .iter()
        .map(|alert| Record { to: Some("unread"), ..Record::new(Subject::Alert(alert.id), "alert.create") })
        .collect();
    entity::insert(&**tx, &alerts).await?;
    audit::record(&**tx, actor, at, records).await?;
    for alert in alerts {
        tx.emit(AlertCreated {
            id: alert.id,
            drift_id: alert.drift_id,
            alert_type: alert.alert_type.into_str().into(),
            severity: alert.severity.into_str().into(),
            title: alert.title,
            message: alert.message,
            created_at: alert.created_at,
        });
    }
    Ok(())
}

/// Marks unread alerts as read: those of a drift, one, or all. Returns how many were unread.
pub async fn read(
    tx: &mut Transaction,
    which: entity::Which,
    actor: &Actor,
    at: DateTime<Utc>,
) -> Result<usize, DbErr> {
    let ids = entity::mark_read(&**tx, which, &actor.user_id, at).await?;
    let record = |id: &Uuid| Record {
        from: Some("unread"),
        to: Some("read"),
        ..Record::new(Subject::Alert(*id), "alert.read")
    };
    audit::record(&**tx, actor, at, ids.iter().map(record).collect()).await?;
    for id in &ids {
        tx.emit(AlertRead { id: *id });
    }
    Ok(ids.len())
}

/// The audit of an alert that is deleted.
pub fn deletion(alert: &entity::Model) -> Record {
    let from = Some(if alert.is_read { "read" } else { "unread" });
    Record { from, ..Record::new(Subject::Alert(alert.id), "alert.delete") }
}
