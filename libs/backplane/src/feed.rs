use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use crate::driver::{Driver, LogRead};
use crate::{Message, Position};

const PAGE: usize = 500;
const RETRY: Duration = Duration::from_millis(250);

/// What a driver tells the feeds of its process.
#[derive(Clone, Debug)]
pub(crate) enum Signal {
    /// A message was heard on a channel.
    Message(Arc<Message>),
    /// Announcements are heard again: some may have been missed.
    Connected,
    /// Somebody stored marks without an event.
    MarksChanged,
}

/// Why a reader has to start anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// The feed begins here.
    Started,
    /// What was missed is no longer in the log, or the log itself was lost.
    LogLost,
}

/// What a [`Feed`] delivers.
#[derive(Clone, Debug)]
pub enum FeedItem {
    /// The next event, or a message that is not logged.
    Message(Arc<Message>),
    /// From here on, every event after `position` follows. What was before must be read elsewhere:
    /// the marks, the database.
    Reset { position: Position, reason: ResetReason },
    /// Marks were stored without an event: read them again.
    MarksChanged,
}

/// The events of the log, each once and in order, and the messages that are not logged as they come.
///
/// Begins with a [`FeedItem::Reset`]. A hole, a reconnect or a lag is filled from the log; where that
/// cannot be done, another `Reset` says so.
pub struct Feed {
    driver: Arc<dyn Driver>,
    signals: broadcast::Receiver<Signal>,
    cursor: Option<Cursor>,
    ready: VecDeque<FeedItem>,
}

struct Cursor {
    position: Position,
    event: Option<Uuid>,
}

impl Feed {
    pub(crate) fn new(driver: Arc<dyn Driver>, signals: broadcast::Receiver<Signal>) -> Self {
        Self { driver, signals, cursor: None, ready: VecDeque::new() }
    }

    /// The next item; `None` when the backplane is gone for good. Not cancel safe: while a hole is
    /// being filled, a dropped call would forget what it has read; keep it in a task of its own.
    pub async fn next(&mut self) -> Option<FeedItem> {
        loop {
            if self.cursor.is_none() {
                self.catch_up().await;
            }
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            match self.signals.recv().await {
                Ok(Signal::Message(message)) => self.hear(message).await,
                Ok(Signal::Connected) | Err(RecvError::Lagged(_)) => self.catch_up().await,
                Ok(Signal::MarksChanged) => self.ready.push_back(FeedItem::MarksChanged),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn hear(&mut self, message: Arc<Message>) {
        let Some(position) = &message.position else {
            self.ready.push_back(FeedItem::Message(message));
            return;
        };
        match &self.cursor {
            Some(Cursor { position: at, .. }) if at.epoch == position.epoch => {
                if position.seq == at.seq + 1 {
                    self.deliver(message);
                } else if position.seq > at.seq {
                    self.catch_up().await;
                }
            }
            _ => self.catch_up().await,
        }
    }

    fn deliver(&mut self, message: Arc<Message>) {
        if let Some(position) = message.position.clone() {
            self.cursor = Some(Cursor { position, event: Some(message.envelope.event_id) });
        }
        self.ready.push_back(FeedItem::Message(message));
    }

    /// Reads the log from the cursor to its head, however long the backplane stays away.
    async fn catch_up(&mut self) {
        loop {
            match self.read_page().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(%error, "the log cannot be read yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Reads one page; `true` when the head is reached.
    async fn read_page(&mut self) -> crate::Result<bool> {
        let Some(Cursor { position, event }) = &self.cursor else {
            self.reset(ResetReason::Started).await?;
            return Ok(true);
        };
        match self.driver.log_after(position, *event, PAGE).await? {
            LogRead::Events(events) => {
                let at_head = events.len() < PAGE;
                events.into_iter().for_each(|message| self.deliver(message));
                Ok(at_head)
            }
            LogRead::Lost => {
                self.reset(ResetReason::LogLost).await?;
                Ok(true)
            }
        }
    }

    async fn reset(&mut self, reason: ResetReason) -> crate::Result<()> {
        let position = self.driver.head().await?;
        self.cursor = Some(Cursor { position: position.clone(), event: None });
        self.ready.push_back(FeedItem::Reset { position, reason });
        Ok(())
    }
}
