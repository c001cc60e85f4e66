use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Clock, Envelope, Event};
use uuid::Uuid;

use crate::{Mark, Message, Position, Result};

/// Number of ids of events without a position that a log remembers.
pub const UNLOGGED_IDS: usize = 2_000;

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

    /// Returns the event as the log has it at `position`. Returns `None` if the entry is not an envelope.
    pub fn at(&self, position: &Position) -> Option<Message> {
        let open = self.envelope.strip_suffix('}').unwrap_or(&self.envelope);
        let placed = format!(r#"{open},"seq":{},"epoch":"{}"}}"#, position.seq, position.epoch);
        Message::from_log(self.channel.clone(), &placed)
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

/// The event log, and the announcements of its events.
///
/// Every method fails only if Redis is unavailable or refuses the command.
#[async_trait]
pub trait Log: Send + Sync {
    /// Publishes the entries in order and stores their marks, all in one atomic step. After an error it is not
    /// known whether the events were published; publish them again. After [`Error::LogChanged`](crate::Error), first look
    /// which ones are still to be published.
    ///
    /// An entry of a logged channel gets the next `seq`, is appended, and is announced with its position.
    /// If the event is still in the log, only its marks are stored. An event's id is remembered only as long
    /// as its entry, so that memory does not grow with traffic. An entry of another channel is announced
    /// without a position, unless its id is among the last [`UNLOGGED_IDS`].
    async fn append(&self, entries: &[Entry]) -> Result<()>;

    /// Publishes a message that is not logged. A process that is disconnected now never receives it. A position
    /// in it is not trusted: on a logged channel, feeds compare the message with the log and ignore it if the
    /// log has reached that position. Returns the number of processes that receive the message.
    async fn broadcast(&self, channel: &str, body: &str) -> Result<usize>;

    /// Returns the position of the newest event.
    async fn head(&self) -> Result<Position>;

    /// Returns at most `limit` events that follow `position`. `last_event` is the event that the reader saw at
    /// `position`, if it knows. Another event at that position means that the log was rolled back, which starts
    /// a new epoch.
    async fn read_after(
        &self,
        position: &Position,
        last_event: Option<Uuid>,
        limit: usize,
    ) -> Result<LogRead>;
}
