use std::fmt;
use std::sync::Arc;

use contracts::Envelope;
use serde_json::value::RawValue;

/// A place in the log: `seq` counts from 1 within one `epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Names one life of the log; it changes when the log was lost.
    pub epoch: Arc<str>,
    /// The last event at or before this place; 0 before the first.
    pub seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

/// A message as it was heard on a channel.
#[derive(Debug)]
pub struct Message {
    pub channel: String,
    /// The envelope as JSON, `seq` and `epoch` included where the message is logged.
    pub body: String,
    /// The envelope, its payload left as it came.
    pub envelope: Envelope<Box<RawValue>>,
    /// `None` for a message that somebody published without the log: best effort.
    pub position: Option<Position>,
}

impl Message {
    /// Reads a message; `None` if the body is no envelope.
    pub(crate) fn parse(channel: String, body: String) -> Option<Self> {
        let envelope: Envelope<Box<RawValue>> = serde_json::from_str(&body).ok()?;
        let position = match (&envelope.epoch, envelope.seq) {
            (Some(epoch), Some(seq)) => Some(Position { epoch: epoch.as_str().into(), seq }),
            _ => None,
        };
        Some(Self { channel, body, envelope, position })
    }
}
