//! `alert:*`: what happens to alerts.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::event;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertCreated {
    pub id: Uuid,
    pub drift_id: Option<Uuid>,
    #[serde(rename = "type")]
    pub alert_type: String,
    pub severity: String,
    pub title: String,
    pub message: String,
    pub created_at: DateTime<Utc>,
}
event!(AlertCreated, "alert:created");

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertRead {
    pub id: Uuid,
}
event!(AlertRead, "alert:read");
