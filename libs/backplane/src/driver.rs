use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use contracts::{Clock, Envelope, Event};
use std::sync::Arc;
use uuid::Uuid;

use crate::{Message, Position};

/// The backplane is unavailable, or refused the command. Callers go on with what they know and try
/// again: no request waits for the backplane.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Redis did not respond in time")]
    Timeout,
    #[error("Redis is unavailable: {0}")]
    Unavailable(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// A fact that outlives its event until it expires, such as "this session has ended". Opaque here.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    pub value: String,
    pub expires_at: DateTime<Utc>,
}

/// One of those who hold a key: what is counted is who lives, not what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub key: String,
    pub holder: String,
}

/// A value that is to be stored under a key until `ttl` has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub key: String,
    /// `None` removes what is there.
    pub value: Option<String>,
    pub ttl: Duration,
}

/// An event on its way to its channel, and into the log if the channel is
/// [logged](contracts::events::is_logged), with its marks.
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

    /// The envelope with its position.
    pub(crate) fn placed(&self, position: &Position) -> String {
        let open = self.envelope.strip_suffix('}').unwrap_or(&self.envelope);
        format!(r#"{open},"seq":{},"epoch":"{}"}}"#, position.seq, position.epoch)
    }
}

/// What the log holds after a position.
#[derive(Debug)]
pub enum LogRead {
    /// Every event that follows, oldest first, at most as many as asked for; empty at the head.
    Events(Vec<Arc<Message>>),
    /// The log no longer reaches back to that position, or is another one.
    Lost,
}

/// Number of ids of events without a position that are remembered.
pub(crate) const UNLOGGED_IDS: usize = 2_000;

/// What a backplane must do. `tests/conformance` checks each line on every implementation.
#[async_trait]
pub(crate) trait Driver: Send + Sync {
    /// Publishes the entries in order and stores their marks, all in one atomic step.
    ///
    /// An entry of a logged channel gets the next `seq`, is appended and announced with its position.
    /// If the event is still in the log, only its marks are stored: its id is remembered as long as
    /// its entry, so that memory does not grow with traffic. An entry of another channel is announced
    /// without a position, unless it is one of the last [`UNLOGGED_IDS`] of its kind.
    async fn append(&self, entries: &[Entry]) -> Result<()>;

    /// Announces a message that is not logged. A position in it is not believed: on a logged channel
    /// the message is compared with the log, and ignored if the log has reached that position.
    async fn broadcast(&self, channel: &str, body: &str) -> Result<()>;

    /// The position of the newest event.
    async fn head(&self) -> Result<Position>;

    /// What follows `position`. `last_event` is the event the reader saw there, if it knows: another
    /// one at that place means that the log was rolled back, and then it gets a new epoch.
    async fn log_after(&self, position: &Position, last_event: Option<Uuid>, limit: usize)
    -> Result<LogRead>;

    /// Stores marks without an event, and tells the feeds so.
    async fn mark(&self, marks: &[Mark]) -> Result<()>;

    /// The values of all marks that have not expired. A mark lives for the time that its writer gave it,
    /// by the clock of the backplane: a reader whose clock is wrong changes nothing.
    async fn marks(&self) -> Result<Vec<String>>;

    /// Counts one more in the window that opened with the first one; returns the count.
    async fn hit(&self, key: &str, window: Duration) -> Result<u64>;

    /// The count of an open window; 0 if none is.
    async fn hits(&self, key: &str) -> Result<u64>;

    /// Stores each value until its `ttl` has passed, or removes it.
    async fn put(&self, puts: &[Put]) -> Result<()>;

    /// The stored value.
    async fn get(&self, key: &str) -> Result<Option<String>>;

    /// The stored value, which is then gone: of several takers one gets it.
    async fn take(&self, key: &str) -> Result<Option<String>>;

    /// Notes that each holder holds its key until `ttl` has passed; returns how many hold each key.
    async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>>;

    /// The holders of a key, in no order. Some may have expired already.
    async fn holders(&self, key: &str) -> Result<Vec<String>>;

    /// The holders hold their keys no longer.
    async fn release(&self, holds: &[Hold]) -> Result<()>;
}
