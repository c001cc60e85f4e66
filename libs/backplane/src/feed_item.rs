use std::sync::Arc;

use crate::{Message, Position};

/// The reason why a reader has to start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// The feed begins here.
    Started,
    /// Missed events are no longer in the log, or the log itself was lost.
    LogLost,
}

/// An item that a [`Feed`] delivers.
#[derive(Clone, Debug)]
pub enum FeedItem {
    /// The next event, or a message that is not logged.
    Message(Arc<Message>),
    /// Every event after `position` follows. Earlier state must be read elsewhere: from the marks and the
    /// database.
    Reset { position: Position, reason: ResetReason },
    /// Marks were stored without an event, or may have been while this process was disconnected: read them again.
    MarksChanged,
    /// This many unlogged messages arrived faster than they were taken, and are lost.
    Lost { messages: u64 },
    /// A message on this channel was ignored, for a reason that is a fixed text.
    Ignored { channel: String, reason: &'static str },
}
