//! Events as notifications see them.

use chrono::{DateTime, Utc};
use contracts::AccountId;
use serde_json::Value;
use uuid::Uuid;

/// An event of the log.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Uuid,
    /// The channel, such as `drift:created`.
    pub event_type: String,
    pub at: DateTime<Utc>,
    pub account_id: Option<AccountId>,
    pub user_id: Option<String>,
    /// As `libs/contracts` defines it for the type.
    pub payload: Value,
}
