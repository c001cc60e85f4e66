use std::collections::VecDeque;
use std::sync::Arc;

use contracts::Sampler;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::announcer::{Queue, Signal, Taken};
use crate::feed_item::FeedItem;
use crate::log::Log;
use crate::message::{Heard, Reading};
use crate::page::{Cursor, Page};
use crate::{Message, Position};

static UNPROVEN: Sampler = Sampler::new();
static UNREADABLE: Sampler = Sampler::new();

/// Delivers the events of the log, each once and in order, and unlogged messages as they arrive.
///
/// Begins with a [`FeedItem::Reset`]. A gap, a reconnect or a lag is filled from the log. If the log cannot
/// fill it, another `Reset` follows.
pub struct Feed {
    log: Arc<dyn Log>,
    queue: Arc<Queue>,
    cursor: Option<Cursor>,
    /// Whether the log must be read before the feed delivers anything else.
    is_behind: bool,
    /// The read of the log that is under way. It goes on in the next call of `next` if a call is cancelled.
    reading: Option<BoxFuture<'static, Page>>,
    /// A message with the position that it claims, to be compared with the log.
    doubted: Option<(Arc<Message>, Position)>,
    ready: VecDeque<FeedItem>,
}

impl Feed {
    pub(crate) fn new(log: Arc<dyn Log>, queue: Arc<Queue>) -> Self {
        let (reading, doubted, ready) = (None, None, VecDeque::new());
        Self { log, queue, cursor: None, is_behind: true, reading, doubted, ready }
    }

    /// Returns the next item. Cancel-safe: nothing is lost, and a read of the log is not begun again.
    pub async fn next(&mut self) -> FeedItem {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return item;
            }
            self.advance().await;
        }
    }

    /// Whether another item has already arrived.
    pub fn has_more(&self) -> bool {
        !self.ready.is_empty() || !self.queue.is_empty()
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
            Taken::Behind => self.is_behind = true,
            Taken::Signal(Signal::Connected) => {
                self.is_behind = true;
                // The log does not show which marks were stored without an event meanwhile.
                self.ready.push_back(FeedItem::MarksChanged);
            }
            Taken::Signal(Signal::MarksChanged) => self.ready.push_back(FeedItem::MarksChanged),
            Taken::Lost(messages) => self.ready.push_back(FeedItem::Lost { messages }),
        }
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
                self.ready.push_back(ignored(&heard.channel, "not an envelope"));
            }
        }
    }

    /// Delivers an event that the log announced, or marks the feed as behind.
    fn follow(&mut self, message: &Arc<Message>, position: &Position) {
        match &self.cursor {
            Some(Cursor { position: at, event }) if at.epoch == position.epoch => {
                // Another event at the last position: the log was rolled back, which the next read notices.
                let is_other = position.seq == at.seq && *event != Some(message.envelope.event_id);
                if position.seq == at.seq + 1 {
                    self.deliver(Arc::clone(message));
                } else if position.seq > at.seq || is_other {
                    self.is_behind = true;
                }
            }
            _ => self.is_behind = true,
        }
    }

    /// Decides on a message that claims a position without proof, once the log has been read. If the log has
    /// reached that position, the event there was delivered already. An event of a log that was lost is older than the
    /// reset, which told every reader to load everything. Any other claim is false.
    fn judge(&mut self, message: Arc<Message>, claimed: &Position) {
        let at = self.cursor.as_ref().map(|cursor| &cursor.position);
        if at.is_some_and(|at| at.epoch != claimed.epoch) {
            self.ready.push_back(ignored(&message.channel, "of a log that was lost"));
            return;
        }
        if at.is_some_and(|at| claimed.seq <= at.seq) {
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

    async fn read_page(&mut self) {
        let begin = || Page::read(Arc::clone(&self.log), self.cursor.clone()).boxed();
        let page = self.reading.get_or_insert_with(begin).await;
        self.reading = None;
        match page {
            Page::Events { events, is_full } => {
                self.is_behind = is_full;
                events.into_iter().for_each(|message| self.deliver(message));
            }
            Page::Reset(cursor, reason) => {
                self.is_behind = false;
                self.ready.push_back(FeedItem::Reset { position: cursor.position.clone(), reason });
                self.cursor = Some(cursor);
            }
        }
    }
}

fn ignored(channel: &str, reason: &'static str) -> FeedItem {
    FeedItem::Ignored { channel: channel.into(), reason }
}

#[cfg(test)]
#[path = "feed_models.rs"]
mod models;
