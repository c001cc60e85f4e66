//! `scan:*`: events about scans.

use serde::Serialize;
use uuid::Uuid;

use super::event;
use crate::AccountId;
use crate::scan::Completeness;

/// A scan was stored, or its upload was refused.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanStored {
    pub id: Uuid,
    /// The name of the stack.
    pub stack: String,
    pub completeness: Completeness,
    /// Numbers of drifts.
    pub created: usize,
    /// The number of critical drifts among `created`.
    pub created_critical: usize,
    pub changed: usize,
    pub unchanged: usize,
    pub resolved: usize,
    /// Routes the event; not part of the payload.
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(ScanStored, "scan:stored", account_id);
