//! `alert:*`: events about alerts.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::event;
use crate::drift::Severity;
use crate::named::named;

named! {
    /// The reason for an alert.
    pub enum AlertType {
        DriftDetected,
        SeverityEscalated,
        ApprovalNeeded,
        RemediationFailed,
        /// The next scan of a stack is overdue.
        StackSilent,
        /// The time of an approval is over, so the drift is open again.
        ApprovalExpired,
        /// The time of a snooze is over.
        SnoozeEnded,
    }
}

/// An alert was created.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertCreated {
    pub id: Uuid,
    pub drift_id: Option<Uuid>,
    /// The name of the stack that the alert concerns.
    pub stack: Option<String>,
    #[serde(rename = "type")]
    pub alert_type: AlertType,
    pub severity: Severity,
    pub title: String,
    pub message: String,
    pub created_at: DateTime<Utc>,
}
event!(AlertCreated, "alert:created");

/// A person has read an alert. Sent to that person only.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertRead {
    pub id: Uuid,
    /// Routes the event; not part of the payload.
    #[serde(skip)]
    pub user_id: String,
}
event!(AlertRead, "alert:read", user_id);

/// A person has read all alerts up to a moment. Sent to that person only.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertsRead {
    /// The person's id.
    pub id: String,
    pub read_until: DateTime<Utc>,
    /// Routes the event; not part of the payload.
    #[serde(skip)]
    pub user_id: String,
}
event!(AlertsRead, "alert:all_read", user_id);

/// An alert is closed for all users, because its drift was approved.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertClosed {
    pub id: Uuid,
}
event!(AlertClosed, "alert:closed");
