use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::feed_item::ResetReason;
use crate::log::{Log, LogRead};
use crate::{Message, Position, Result};

const LENGTH: usize = 500;
const RETRY: Duration = Duration::from_millis(250);

/// A place in the log, and the event there if it is known.
#[derive(Clone)]
pub(crate) struct Cursor {
    pub position: Position,
    pub event: Option<Uuid>,
}

/// The events that follow a cursor.
pub(crate) enum Page {
    Events {
        events: Vec<Arc<Message>>,
        /// Whether more may follow.
        is_full: bool,
    },
    /// The log cannot continue there. The reader starts again at this cursor.
    Reset(Cursor, ResetReason),
}

impl Page {
    /// Reads the page after a cursor; without one, starts at the head. Waits until the log can be read.
    pub(crate) async fn read(log: Arc<dyn Log>, after: Option<Cursor>) -> Self {
        loop {
            match Self::try_read(&*log, after.as_ref()).await {
                Ok(page) => return page,
                Err(error) => {
                    tracing::debug!(%error, "cannot read the log yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    async fn try_read(log: &dyn Log, after: Option<&Cursor>) -> Result<Self> {
        let Some(Cursor { position, event }) = after else {
            return Self::start(log, ResetReason::Started).await;
        };
        match log.read_after(position, *event, LENGTH).await? {
            LogRead::Events(events) => Ok(Self::Events { is_full: events.len() == LENGTH, events }),
            LogRead::Lost => Self::start(log, ResetReason::LogLost).await,
        }
    }

    /// Starts at the head of the log, with the event there: by it, the next read notices if the log was rolled back.
    async fn start(log: &dyn Log, reason: ResetReason) -> Result<Self> {
        let position = log.head().await?;
        let mut event = None;
        if let Some(seq) = position.seq.checked_sub(1) {
            let before = Position { seq, ..position.clone() };
            if let LogRead::Events(newest) = log.read_after(&before, None, 1).await? {
                event = newest.first().map(|message| message.envelope.event_id);
            }
        }
        Ok(Self::Reset(Cursor { position, event }, reason))
    }
}
