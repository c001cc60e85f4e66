use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::Result;

/// A fact that outlives its event until it expires, such as "this session has ended". The backplane does
/// not interpret it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    pub value: String,
    pub expires_at: DateTime<Utc>,
}

/// The marks that were stored, with events or alone.
///
/// Every method fails only if Redis is unavailable or refuses the command.
#[async_trait]
pub trait Marks: Send + Sync {
    /// Stores marks without an event, and notifies the feeds. A mark never expires earlier than it already
    /// would.
    async fn add(&self, marks: &[Mark]) -> Result<()>;

    /// Returns the values of all marks that have not expired, in no particular order. The backplane's clock
    /// measures the lifetime that the writer chose: a reader whose clock is wrong changes nothing.
    async fn live(&self) -> Result<Vec<String>>;
}
