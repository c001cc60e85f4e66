//! `stack:*`: events about stacks. Owners and labels are never published.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::event;
use crate::scan::StackStatus;

/// The status of a stack changed with a scan, or its settings changed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StackUpdated {
    pub id: Uuid,
    /// The name of the stack.
    pub stack: String,
    pub status: StackStatus,
}
event!(StackUpdated, "stack:updated");

/// The next scan of a stack is overdue.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StackSilent {
    pub id: Uuid,
    /// The name of the stack.
    pub stack: String,
    /// The time by which the next scan should have arrived.
    pub due_at: DateTime<Utc>,
}
event!(StackSilent, "stack:silent");

/// A stack was deleted, with its scans.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StackDeleted {
    pub id: Uuid,
    /// The name of the stack.
    pub stack: String,
}
event!(StackDeleted, "stack:deleted");
