use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use contracts::{Clock, Envelope, Event};
use uuid::Uuid;

use crate::{Message, Position};

/// The backplane is unavailable, or refused the command. Callers continue with the state they have and retry;
/// no request fails because of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Redis did not respond in time")]
    Timeout,
    #[error("Redis is unavailable: {0}")]
    Unavailable(String),
}

/// The result of an operation on the backplane.
pub type Result<T> = std::result::Result<T, Error>;

/// A fact that outlives its event until it expires, such as "this session has ended". The backplane does
/// not interpret it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    pub value: String,
    pub expires_at: DateTime<Utc>,
}

/// One holder of a key. Hits count past events; holds count those present, and expire unless renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub key: String,
    pub holder: String,
}

/// A value to store under a key until `ttl` has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub key: String,
    /// `None` deletes the stored value.
    pub value: Option<String>,
    pub ttl: Duration,
}

/// An event to publish on its channel, with its marks. It is also appended to the log if the channel is
/// [logged](contracts::events::is_logged).
#[derive(Clone, Debug)]
pub struct Entry {
    pub event_id: Uuid,
    pub channel: String,
    /// The envelope as a JSON object without `seq` and `epoch`, which the log adds.
    pub envelope: String,
    pub marks: Vec<Mark>,
}

impl Entry {
    /// Wraps an event that happens now.
    pub fn of<E: Event>(event: E, clock: &Clock) -> serde_json::Result<Self> {
        let envelope = Envelope { traceparent: crate::current_trace(), ..Envelope::of(event, clock) };
        Ok(Self {
            event_id: envelope.event_id,
            channel: E::TYPE.into(),
            envelope: serde_json::to_string(&envelope)?,
            marks: Vec::new(),
        })
    }

    /// Returns the envelope with its position.
    pub(crate) fn placed(&self, position: &Position) -> String {
        let open = self.envelope.strip_suffix('}').unwrap_or(&self.envelope);
        format!(r#"{open},"seq":{},"epoch":"{}"}}"#, position.seq, position.epoch)
    }
}

/// The events of the log after a position.
#[derive(Debug)]
pub enum LogRead {
    /// Every event that follows, oldest first, up to the limit of the request; empty at the head.
    Events(Vec<Arc<Message>>),
    /// The log no longer reaches back to that position, or has another epoch.
    Lost,
}

/// Number of ids of events without a position that are remembered.
pub(crate) const UNLOGGED_IDS: usize = 2_000;

/// The operations of a backplane. `tests/conformance` checks each line on every implementation.
#[async_trait]
pub(crate) trait Driver: Send + Sync {
    /// Publishes the entries in order and stores their marks, all in one atomic step.
    ///
    /// An entry of a logged channel gets the next `seq`, is appended, and is announced with its position.
    /// If the event is still in the log, only its marks are stored. An event's id is remembered only as long
    /// as its entry, so that memory does not grow with traffic. An entry of another channel is announced
    /// without a position, unless its id is among the last [`UNLOGGED_IDS`].
    async fn append(&self, entries: &[Entry]) -> Result<()>;

    /// Publishes a message that is not logged. A position in it is not trusted: on a logged channel, feeds
    /// compare the message with the log and ignore it if the log has reached that position. Returns the number of
    /// processes that receive the message.
    async fn broadcast(&self, channel: &str, body: &str) -> Result<usize>;

    /// Returns the position of the newest event.
    async fn head(&self) -> Result<Position>;

    /// Returns the events after `position`. `last_event` is the event that the reader saw at `position`, if
    /// it knows. Another event at that position means that the log was rolled back, which starts a new epoch.
    async fn log_after(&self, position: &Position, last_event: Option<Uuid>, limit: usize)
    -> Result<LogRead>;

    /// Stores marks without an event, and notifies the feeds.
    async fn mark(&self, marks: &[Mark]) -> Result<()>;

    /// Returns the values of all marks that have not expired. The backplane's clock measures the lifetime
    /// that the writer chose: a reader whose clock is wrong changes nothing.
    async fn marks(&self) -> Result<Vec<String>>;

    /// Adds one to the count of the window that the first hit opened. Returns the count.
    async fn hit(&self, key: &str, window: Duration) -> Result<u64>;

    /// Returns the count of the open window; 0 if none is open.
    async fn hits(&self, key: &str) -> Result<u64>;

    /// Stores each value until its `ttl` has passed, or deletes it.
    async fn put(&self, puts: &[Put]) -> Result<()>;

    /// Returns the stored value.
    async fn get(&self, key: &str) -> Result<Option<String>>;

    /// Returns and deletes the stored value. If several callers take it, one of them gets it.
    async fn take(&self, key: &str) -> Result<Option<String>>;

    /// Records that each holder holds its key until `ttl` has passed. Returns the number of holders of each
    /// key.
    async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>>;

    /// Returns the holders of a key, in no particular order. Some may have expired already.
    async fn holders(&self, key: &str) -> Result<Vec<String>>;

    /// Deletes the holds.
    async fn release(&self, holds: &[Hold]) -> Result<()>;
}
