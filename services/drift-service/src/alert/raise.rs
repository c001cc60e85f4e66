//! Raising alerts: building, storing and announcing them.

use chrono::{DateTime, Utc};
use contracts::drift::{Kind, Severity};
use contracts::events::alert::{AlertCreated, AlertType};
use database::Transaction;
use sea_orm::DbErr;
use uuid::Uuid;

use super::entity;
use crate::actor::Actor;
use crate::audit::{self, AuditAction, Record, Subject};
use crate::drift;

/// Builds the alert about a drift.
pub fn about(drift: &drift::entity::Model, alert_type: AlertType, at: DateTime<Utc>) -> entity::Model {
    let alert = about_address(drift.id, &drift.address, drift.kind, drift.severity, alert_type, at);
    entity::Model { stack: Some(drift.stack.clone()), ..alert }
}

/// Builds the alert about a drift from single values of the drift. Its stack is not set.
pub fn about_address(
    drift_id: Uuid,
    address: &str,
    kind: Kind,
    severity: Severity,
    alert_type: AlertType,
    at: DateTime<Utc>,
) -> entity::Model {
    let what = match kind {
        Kind::Changed => "differs from its declaration",
        Kind::Missing => "is missing",
        Kind::Unmanaged => "is not declared anywhere",
    };
    let title = match alert_type {
        AlertType::SeverityEscalated => format!("Drift is now {}: {address}", severity.into_str()),
        AlertType::ApprovalExpired => format!("Approval expired: {address}"),
        AlertType::SnoozeEnded => format!("Snooze ended: {address}"),
        _ => format!("Drift, {}: {address}", severity.into_str()),
    };
    new(Some(drift_id), alert_type, severity, &title, &format!("{address} {what}."), at)
}

/// Builds one alert for many missing resources of a stack.
pub fn about_missing(drifts: &[&drift::entity::Model], stack: &str, at: DateTime<Utc>) -> entity::Model {
    let count = drifts.len();
    let severity = drifts.iter().map(|drift| drift.severity).max().unwrap_or(Severity::Critical);
    let some: Vec<&str> = drifts.iter().take(3).map(|drift| drift.address.as_str()).collect();
    let title = format!("{count} resources are missing: stack {stack}");
    let message = format!("{count} resources of the stack {stack} are missing, such as {}.", some.join(", "));
    let alert = new(None, AlertType::DriftDetected, severity, &title, &message, at);
    entity::Model { stack: Some(stack.into()), ..alert }
}

/// Builds the alert about a stack whose next scan is overdue.
pub fn about_silence(stack: &str, due_at: DateTime<Utc>, at: DateTime<Utc>) -> entity::Model {
    let title = format!("No scan arrives: stack {stack}");
    let due = due_at.format("%Y-%m-%d %H:%M UTC");
    let message = format!(
        "The next scan of the stack {stack} was due by {due}. Until one arrives, nobody knows whether it drifts. Check \
         the job that scans it."
    );
    let alert = new(None, AlertType::StackSilent, Severity::Critical, &title, &message, at);
    entity::Model { stack: Some(stack.into()), ..alert }
}

fn new(
    drift_id: Option<Uuid>,
    alert_type: AlertType,
    severity: Severity,
    title: &str,
    message: &str,
    at: DateTime<Utc>,
) -> entity::Model {
    entity::Model {
        id: Uuid::now_v7(),
        drift_id,
        alert_type,
        severity,
        title: title.chars().take(255).collect(),
        message: message.chars().take(2000).collect(),
        created_at: at,
        is_read: false,
        read_at: None,
        read_by: None,
        stack: None,
        scan_id: None,
    }
}

/// Stores alerts with their events and audit rows.
pub async fn raise(tx: &mut Transaction, actor: &Actor, alerts: Vec<entity::Model>) -> Result<(), DbErr> {
    let Some(at) = alerts.first().map(|alert| alert.created_at) else { return Ok(()) };
    let records = alerts
        .iter()
        .map(|alert| Record {
            to: Some("unread"),
            ..Record::new(Subject::Alert(alert.id), AuditAction::AlertCreate)
        })
        .collect();
    entity::insert(tx, &alerts).await?;
    audit::record(tx, actor, at, records).await?;
    for alert in alerts {
        tx.emit(AlertCreated {
            id: alert.id,
            drift_id: alert.drift_id,
            stack: alert.stack,
            alert_type: alert.alert_type,
            severity: alert.severity,
            title: alert.title,
            message: alert.message,
            created_at: alert.created_at,
        });
    }
    Ok(())
}

/// Raises an alert in place of the earlier one of its type, which the drift may have.
pub async fn raise_again(tx: &mut Transaction, actor: &Actor, alert: entity::Model) -> Result<(), DbErr> {
    if let Some(drift_id) = alert.drift_id {
        let earlier = entity::delete_of(tx, drift_id, alert.alert_type).await?;
        audit::record(tx, actor, alert.created_at, earlier.iter().map(super::deletion).collect()).await?;
    }
    raise(tx, actor, vec![alert]).await
}

/// Raises alerts of one type, except for drifts that already have an alert of that type.
pub async fn raise_once(
    tx: &mut Transaction,
    actor: &Actor,
    mut alerts: Vec<entity::Model>,
) -> Result<(), DbErr> {
    let Some(alert_type) = alerts.first().map(|alert| alert.alert_type) else { return Ok(()) };
    let ids: Vec<Uuid> = alerts.iter().filter_map(|alert| alert.drift_id).collect();
    let had = entity::drifts_with(tx, alert_type, &ids).await?;
    alerts.retain(|alert| alert.drift_id.is_some_and(|id| !had.contains(&id)));
    raise(tx, actor, alerts).await
}
