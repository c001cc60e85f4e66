use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use contracts::Sampler;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::announcer::{Queue, Signal, Taken};
use crate::feed_item::{FeedItem, ResetReason};
use crate::log::{Log, LogRead};
use crate::message::{Heard, Reading};
use crate::{Message, Position, Result};

const PAGE: usize = 500;
const RETRY: Duration = Duration::from_millis(250);

static UNPROVEN: Sampler = Sampler::new();
static UNREADABLE: Sampler = Sampler::new();

/// Puts announcements and the log together into the items of one feed.
pub(crate) struct Reader {
    log: Arc<dyn Log>,
    queue: Arc<Queue>,
    cursor: Option<Cursor>,
    /// Whether the log must be read before the feed delivers anything else.
    is_behind: bool,
    /// A message with the position that it claims, to be compared with the log.
    doubted: Option<(Arc<Message>, Position)>,
    ready: Vec<FeedItem>,
}

struct Cursor {
    position: Position,
    event: Option<Uuid>,
}

impl Reader {
    pub(crate) fn new(log: Arc<dyn Log>, queue: Arc<Queue>) -> Self {
        Self { log, queue, cursor: None, is_behind: true, doubted: None, ready: Vec::new() }
    }

    /// Reads until the task is aborted, or the feed is dropped.
    ///
    /// Inputs: the announcements of the queue, the pages of the log. Waits while the feed is full.
    pub(crate) async fn run(mut self, feed: mpsc::Sender<FeedItem>) -> std::result::Result<(), Infallible> {
        loop {
            for item in self.ready.drain(..) {
                if feed.send(item).await.is_err() {
                    return Ok(());
                }
            }
            self.advance().await;
        }
    }

    async fn advance(&mut self) {
        if self.is_behind {
            return self.read_page().await;
        }
        if let Some((message, claimed)) = self.doubted.take() {
            return self.judge(message, &claimed);
        }
        match self.queue.take().await {
            Taken::Signal(Signal::Heard(heard)) => self.hear(&heard),
            Taken::Signal(Signal::Connected) | Taken::Behind => self.is_behind = true,
            Taken::Signal(Signal::MarksChanged) => self.ready.push(FeedItem::MarksChanged),
            Taken::Lost(messages) => self.ready.push(FeedItem::Lost { messages }),
        }
    }

    fn hear(&mut self, heard: &Heard) {
        match heard.read() {
            Reading::Message(message) => match &message.position {
                None => self.ready.push(FeedItem::Message(Arc::clone(message))),
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
                self.ready.push(FeedItem::Unreadable { channel: heard.channel.clone() });
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
        self.ready.push(FeedItem::Message(message));
    }

    fn deliver(&mut self, message: Arc<Message>) {
        if let Some(position) = message.position.clone() {
            self.cursor = Some(Cursor { position, event: Some(message.envelope.event_id) });
        }
        self.ready.push(FeedItem::Message(message));
    }

    /// Reads one page of the log, or waits if the log cannot be read yet.
    async fn read_page(&mut self) {
        let read = match &self.cursor {
            None => self.start(ResetReason::Started).await,
            Some(Cursor { position, event }) => match self.log.read_after(position, *event, PAGE).await {
                Ok(LogRead::Events(events)) => Ok(Page::Events(events)),
                Ok(LogRead::Lost) => self.start(ResetReason::LogLost).await,
                Err(error) => Err(error),
            },
        };
        match read {
            Ok(Page::Events(events)) => {
                self.is_behind = events.len() == PAGE;
                events.into_iter().for_each(|message| self.deliver(message));
            }
            Ok(Page::Reset(cursor, reason)) => {
                self.is_behind = false;
                self.ready.push(FeedItem::Reset { position: cursor.position.clone(), reason });
                self.cursor = Some(cursor);
            }
            Err(error) => {
                tracing::debug!(%error, "cannot read the log yet");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Starts at the head of the log, with the event there: by it, the next read notices if the log was rolled back.
    async fn start(&self, reason: ResetReason) -> Result<Page> {
        let position = self.log.head().await?;
        let mut event = None;
        if let Some(seq) = position.seq.checked_sub(1) {
            let before = Position { seq, ..position.clone() };
            if let LogRead::Events(newest) = self.log.read_after(&before, None, 1).await? {
                event = newest.first().map(|message| message.envelope.event_id);
            }
        }
        Ok(Page::Reset(Cursor { position, event }, reason))
    }
}

enum Page {
    Events(Vec<Arc<Message>>),
    Reset(Cursor, ResetReason),
}
