use std::sync::Arc;

use contracts::Tasks;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::announcer::Queue;
use crate::feed_item::FeedItem;
use crate::log::Log;
use crate::reader::Reader;

/// Number of items that are ready before the reader waits for the consumer. Until then, the queue of the feed
/// keeps the rest.
const READY: usize = 256;

/// Delivers the events of the log, each once and in order, and unlogged messages as they arrive.
///
/// Begins with a [`FeedItem::Reset`]. A gap, a reconnect or a lag is filled from the log. If the log cannot
/// fill it, another `Reset` follows.
pub struct Feed {
    items: mpsc::Receiver<FeedItem>,
    queue: Arc<Queue>,
    _reader: AbortOnDropHandle<()>,
}

impl Feed {
    pub(crate) fn new(log: Arc<dyn Log>, queue: Arc<Queue>, tasks: &Tasks) -> Self {
        let (ready, items) = mpsc::channel(READY);
        let reader = tasks.spawn("feed", Reader::new(log, Arc::clone(&queue)).run(ready));
        Self { items, queue, _reader: AbortOnDropHandle::new(reader) }
    }

    /// Returns the next item. Cancel-safe: a task of the feed reads the log, whether or not an item is awaited.
    /// Never returns once the runtime of the process has stopped.
    pub async fn next(&mut self) -> FeedItem {
        match self.items.recv().await {
            Some(item) => item,
            None => std::future::pending().await,
        }
    }

    /// Whether another item has already arrived.
    pub fn has_more(&self) -> bool {
        !self.items.is_empty() || !self.queue.is_empty()
    }
}
