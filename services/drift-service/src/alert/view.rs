use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::drift::Severity;
use contracts::events::alert::AlertType;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity::{Model, ReaderMark};
use super::reads;
use crate::audience::Audience;
use crate::error::DriftError;

/// An alert as the caller sees it. The read state is the caller's own. Callers without an account, and all
/// callers once the drift was approved, see the same state.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertView {
    pub id: Uuid,
    pub drift_id: Option<Uuid>,
    /// `None` in the old contract.
    #[serde(flatten)]
    pub origin: Option<AlertOrigin>,
    #[serde(rename = "type")]
    pub alert_type: AlertType,
    pub severity: Severity,
    pub title: String,
    pub message: String,
    pub created_at: DateTime<Utc>,
    pub is_read: bool,
    pub read_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_by: Option<Option<String>>,
}

/// Where an alert comes from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertOrigin {
    /// The name of the stack that the alert concerns.
    pub stack: Option<String>,
    /// The scan that raised the alert.
    pub scan_id: Option<Uuid>,
}

impl AlertView {
    pub(super) fn new(alert: Model, audience: Audience, own: Option<(DateTime<Utc>, &str)>) -> Self {
        let (read_at, read_by) = match own {
            Some((at, by)) if !alert.is_read => (Some(at), Some(by.to_owned())),
            _ => (alert.read_at, alert.read_by),
        };
        Self {
            id: alert.id,
            drift_id: alert.drift_id,
            origin: Some(AlertOrigin { stack: alert.stack, scan_id: alert.scan_id }),
            alert_type: alert.alert_type,
            severity: alert.severity,
            title: alert.title,
            message: alert.message,
            created_at: alert.created_at,
            is_read: alert.is_read || own.is_some(),
            read_at,
            read_by: (audience >= Audience::Viewer).then_some(read_by),
        }
    }
}

/// Converts alerts into views, with the caller's own read state.
pub(crate) async fn views(
    db: &impl sea_orm::ConnectionTrait,
    alerts: Vec<Model>,
    audience: Audience,
    reader: Option<&ReaderMark>,
) -> Result<Vec<AlertView>, DriftError> {
    let Some(reader) = reader else {
        return Ok(alerts.into_iter().map(|alert| AlertView::new(alert, audience, None)).collect());
    };
    let ids: Vec<Uuid> = alerts.iter().map(|alert| alert.id).collect();
    let read: HashMap<Uuid, DateTime<Utc>> = reads::of(db, &reader.user_id, &ids)
        .await?
        .into_iter()
        .map(|read| (read.alert_id, read.read_at))
        .collect();
    let view = |alert: Model| {
        let by_mark = reader.read_until.filter(|until| alert.created_at <= *until);
        let at = read.get(&alert.id).copied().or(by_mark);
        AlertView::new(alert, audience, at.map(|at| (at, reader.user_id.as_str())))
    };
    Ok(alerts.into_iter().map(view).collect())
}

/// Returns the caller as a reader of alerts; `None` without an account.
pub async fn reader_mark(
    db: &impl sea_orm::ConnectionTrait,
    user_id: Option<String>,
) -> Result<Option<ReaderMark>, DriftError> {
    let Some(user_id) = user_id else { return Ok(None) };
    let read_until = reads::read_until(db, &user_id).await?;
    Ok(Some(ReaderMark { user_id, read_until }))
}
