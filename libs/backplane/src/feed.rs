use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use contracts::Sampler;
use uuid::Uuid;

use crate::driver::{Driver, LogRead};
use crate::message::{Heard, Reading};
use crate::queue::{Queue, Signal, Taken};
use crate::{Message, Position};

const PAGE: usize = 500;
const RETRY: Duration = Duration::from_millis(250);

static UNPROVEN: Sampler = Sampler::new();
static UNREADABLE: Sampler = Sampler::new();

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
    /// Marks were stored without an event: read them again.
    MarksChanged,
    /// This many unlogged messages arrived faster than they were taken, and are lost.
    Lost { messages: u64 },
    /// A message on this channel was not an envelope, and was ignored.
    Unreadable { channel: String },
}

/// Delivers the events of the log, each once and in order, and unlogged messages as they arrive.
///
/// Begins with a [`FeedItem::Reset`]. A gap, a reconnect or a lag is filled from the log. If the log cannot
/// fill it, another `Reset` follows.
pub struct Feed {
    driver: Arc<dyn Driver>,
    queue: Arc<Queue>,
    cursor: Option<Cursor>,
    /// Whether the log must be read before the feed delivers anything else.
    is_behind: bool,
    /// A message with the position that it claims, to be compared with the log.
    doubted: Option<(Arc<Message>, Position)>,
    ready: VecDeque<FeedItem>,
}

struct Cursor {
    position: Position,
    event: Option<Uuid>,
}

impl Feed {
    pub(crate) fn new(driver: Arc<dyn Driver>, queue: Arc<Queue>) -> Self {
        Self { driver, queue, cursor: None, is_behind: true, doubted: None, ready: VecDeque::new() }
    }

    /// Returns the next item. Cancel-safe: an item taken from the queue or read from the log is not lost.
    pub async fn next(&mut self) -> FeedItem {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return item;
            }
            if self.is_behind {
                self.read_page().await;
                continue;
            }
            if let Some((message, claimed)) = self.doubted.take() {
                self.judge(message, &claimed);
                continue;
            }
            match self.queue.take().await {
                Taken::Signal(Signal::Heard(heard)) => self.hear(&heard),
                Taken::Signal(Signal::Connected) | Taken::Behind => self.is_behind = true,
                Taken::Signal(Signal::MarksChanged) => self.ready.push_back(FeedItem::MarksChanged),
                Taken::Lost(messages) => self.ready.push_back(FeedItem::Lost { messages }),
            }
        }
    }

    /// Whether the next item is already available.
    pub fn has_more(&self) -> bool {
        !self.ready.is_empty() || !self.queue.is_empty()
    }

    fn hear(&mut self, heard: &Heard) {
        match heard.read() {
            Reading::Message(message) => match &message.position {
                None => self.ready.push_back(FeedItem::Message(Arc::clone(message))),
                Some(position) => self.follow(message, position),
            },
            Reading::Unproven(message, claimed) => {
                self.is_behind = true;
                self.doubted = Some((Arc::clone(message), claimed.clone()));
            }
            Reading::Unreadable => {
                if let Some(left_out) = UNREADABLE.admit() {
                    tracing::warn!(
                        channel = heard.channel,
                        left_out,
                        "ignored a message that is not an envelope"
                    );
                }
                self.ready.push_back(FeedItem::Unreadable { channel: heard.channel.clone() });
            }
        }
    }

    /// Delivers an event that the log announced, or marks the feed as behind.
    fn follow(&mut self, message: &Arc<Message>, position: &Position) {
        match &self.cursor {
            Some(Cursor { position: at, .. }) if at.epoch == position.epoch => {
                if position.seq == at.seq + 1 {
                    self.deliver(Arc::clone(message));
                } else if position.seq > at.seq {
                    self.is_behind = true;
                }
            }
            _ => self.is_behind = true,
        }
    }

    /// Decides on a message that claims a position without proof, once the log has been read. If the log has
    /// reached that position, the event there was delivered already. Otherwise the claim was false.
    fn judge(&mut self, message: Arc<Message>, claimed: &Position) {
        let at = self.cursor.as_ref().map(|cursor| &cursor.position);
        if at.is_some_and(|at| at.epoch == claimed.epoch && claimed.seq <= at.seq) {
            return;
        }
        if let Some(left_out) = UNPROVEN.admit() {
            let channel = &message.channel;
            tracing::warn!(security = true, channel, left_out, "ignored a position that is not in the log");
        }
        self.ready.push_back(FeedItem::Message(message));
    }

    fn deliver(&mut self, message: Arc<Message>) {
        if let Some(position) = message.position.clone() {
            self.cursor = Some(Cursor { position, event: Some(message.envelope.event_id) });
        }
        self.ready.push_back(FeedItem::Message(message));
    }

    /// Reads one page of the log. State changes only after the last await.
    async fn read_page(&mut self) {
        let read = match &self.cursor {
            None => self.driver.head().await.map(|head| Page::Reset(head, ResetReason::Started)),
            Some(Cursor { position, event }) => match self.driver.log_after(position, *event, PAGE).await {
                Ok(LogRead::Events(events)) => Ok(Page::Events(events)),
                Ok(LogRead::Lost) => {
                    self.driver.head().await.map(|head| Page::Reset(head, ResetReason::LogLost))
                }
                Err(error) => Err(error),
            },
        };
        match read {
            Ok(Page::Events(events)) => {
                self.is_behind = events.len() == PAGE;
                events.into_iter().for_each(|message| self.deliver(message));
            }
            Ok(Page::Reset(position, reason)) => {
                self.is_behind = false;
                self.cursor = Some(Cursor { position: position.clone(), event: None });
                self.ready.push_back(FeedItem::Reset { position, reason });
            }
            Err(error) => {
                tracing::debug!(%error, "cannot read the log yet");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

enum Page {
    Events(Vec<Arc<Message>>),
    Reset(Position, ResetReason),
}
