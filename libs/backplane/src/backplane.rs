use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::Clock;
use tokio::sync::{broadcast, watch};

use crate::driver::{Driver, Entry, Hold, LogRead, Mark, Put, Result};
use crate::feed::{Feed, Signal};
use crate::memory::Memory;
use crate::redis::Redis;
use crate::{Message, Position};

/// How many announcements a slow [`Feed`] may lag behind before it has to read the log.
const FEED_BUFFER: usize = 8_192;

/// How long nothing may be heard before [`Backplane::is_stale`] says so.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// Whether announcements are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Heard,
    Lost { since: Instant },
}

impl Link {
    /// Whether announcements are heard right now.
    pub fn is_heard(self) -> bool {
        self == Self::Heard
    }
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct Options {
    pub clock: Clock,
    /// Channels to hear besides the logged ones, as patterns of `PSUBSCRIBE`.
    pub channels: Vec<String>,
    /// How many events the log keeps.
    pub log_length: usize,
    /// How long the log keeps an event.
    pub log_age: Duration,
}

impl Options {
    /// A log of 20,000 events or one hour, whichever is less, and no further channels.
    pub fn new(clock: Clock) -> Self {
        Self { clock, channels: Vec::new(), log_length: 20_000, log_age: Duration::from_secs(3_600) }
    }
}

/// The connection of one process to all others. Cheap to clone.
#[derive(Clone)]
pub struct Backplane {
    driver: Arc<dyn Driver>,
    signals: broadcast::Sender<Signal>,
    link: watch::Receiver<Link>,
}

impl fmt::Debug for Backplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backplane").field("connected", &self.is_connected()).finish_non_exhaustive()
    }
}

impl Backplane {
    /// Connects to `memory:` (this process alone) or to `redis://…`.
    ///
    /// Redis being away is no error: the connection is made, and made again, in the background.
    /// Call it inside a tokio runtime; the tasks end when the last clone and feed are dropped.
    ///
    /// # Errors
    /// If the URL is neither of the two.
    pub fn connect(url: &str, options: Options) -> Result<Self> {
        let (signals, _) = broadcast::channel(FEED_BUFFER);
        let (link_tx, link) = watch::channel(Link::Lost { since: Instant::now() });
        let driver: Arc<dyn Driver> = if url.starts_with("memory:") {
            link_tx.send_replace(Link::Heard);
            Arc::new(Memory::new(signals.clone(), options, link_tx))
        } else {
            Arc::new(Redis::open(url, options, signals.clone(), link_tx)?)
        };
        Ok(Self { driver, signals, link })
    }

    /// What is heard from now on. See [`Feed`].
    pub fn feed(&self) -> Feed {
        Feed::new(Arc::clone(&self.driver), self.signals.subscribe())
    }

    /// Whether announcements are being heard right now.
    pub fn is_connected(&self) -> bool {
        self.link.borrow().is_heard()
    }

    /// Whether nothing has been heard for so long that what this process knows must be called old.
    pub fn is_stale(&self) -> bool {
        matches!(*self.link.borrow(), Link::Lost { since } if since.elapsed() > STALE_AFTER)
    }

    /// The link and its changes.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Appends to the log and announces, in one atomic step. Appending an event again is harmless.
    ///
    /// # Errors
    /// If it is not known to have been appended; append again.
    pub async fn append(&self, entries: &[Entry]) -> Result<()> {
        self.driver.append(entries).await
    }

    /// Announces a message that is not logged: whoever does not hear it now never will.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn broadcast(&self, channel: &str, body: &str) -> Result<()> {
        self.driver.broadcast(channel, body).await
    }

    /// The position of the newest event.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn head(&self) -> Result<Position> {
        self.driver.head().await
    }

    /// What follows `position` in the log, at most `limit` events.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn log_after(&self, position: &Position, limit: usize) -> Result<LogRead> {
        self.driver.log_after(position, None, limit).await
    }

    /// Stores marks without an event.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn mark(&self, marks: &[Mark]) -> Result<()> {
        self.driver.mark(marks).await
    }

    /// The values of all marks that have not expired, in no order.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn marks(&self) -> Result<Vec<String>> {
        self.driver.marks().await
    }

    /// Counts one more under `key`, over all replicas, in a window that opened with the first one.
    ///
    /// # Errors
    /// If Redis is away: count in process instead.
    pub async fn hit(&self, key: &str, window: Duration) -> Result<u64> {
        self.driver.hit(key, window).await
    }

    /// The count under `key`, without counting.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn hits(&self, key: &str) -> Result<u64> {
        self.driver.hits(key).await
    }

    /// Stores values, or removes them, all in one exchange.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn put(&self, puts: &[Put]) -> Result<()> {
        self.driver.put(puts).await
    }

    /// The value under `key`.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn get(&self, key: &str) -> Result<Option<String>> {
        self.driver.get(key).await
    }

    /// The value under `key`, which is then gone: of several takers one gets it.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn take(&self, key: &str) -> Result<Option<String>> {
        self.driver.take(key).await
    }

    /// Notes that each holder holds its key until `ttl` has passed, over all replicas; returns how
    /// many hold each key. Hold again before `ttl` is over.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>> {
        self.driver.hold(holds, ttl).await
    }

    /// Ends holds before their time, all in one exchange.
    ///
    /// # Errors
    /// If Redis is away.
    pub async fn release(&self, holds: &[Hold]) -> Result<()> {
        self.driver.release(holds).await
    }
}

/// A message that was heard, for every feed of this process.
pub(crate) fn announce(signals: &broadcast::Sender<Signal>, message: Message) {
    // An error means that nobody listens, which is nobody's loss.
    let _ = signals.send(Signal::Message(Arc::new(message)));
}
