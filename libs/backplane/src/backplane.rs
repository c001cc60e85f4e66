use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::Clock;
use tokio::sync::watch;

use crate::Position;
use crate::driver::{Driver, Entry, Hold, LogRead, Mark, Put, Result};
use crate::feed::Feed;
use crate::link::Link;
use crate::memory::Memory;
use crate::options::{LOG_AGE, LOG_LENGTH, Options};
use crate::queue::Listeners;
use crate::redis::Redis;

/// Time without the backplane after which [`Backplane::is_stale`] is true.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// The connection of one process to all others. Cheap to clone.
#[derive(Clone)]
pub struct Backplane {
    driver: Arc<dyn Driver>,
    listeners: Listeners,
    link: watch::Receiver<Link>,
}

impl fmt::Debug for Backplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backplane").field("link", &*self.link.borrow()).finish_non_exhaustive()
    }
}

impl Backplane {
    /// Connects to `memory:` (this process alone) or to `redis://…`.
    ///
    /// An unavailable Redis is not an error: the connection is opened, and reopened, in the background.
    /// Must be called inside a tokio runtime. The tasks end when the last clone and the last feed are
    /// dropped.
    ///
    /// # Errors
    /// If the URL has neither form.
    pub fn connect(url: &str, options: Options) -> Result<Self> {
        let listeners = Listeners::default();
        let down = Link::Lost { since: Instant::now(), reason: "not connected yet" };
        let (link_tx, link) = watch::channel(down);
        let driver: Arc<dyn Driver> = if url.starts_with("memory:") {
            link_tx.send_replace(Link::Up);
            let Options { clock, log_length, log_age, .. } = options;
            Arc::new(Memory::new(listeners.clone(), clock, log_length, log_age, link_tx))
        } else {
            Arc::new(Redis::open(url, options, listeners.clone(), link_tx)?)
        };
        Ok(Self { driver, listeners, link })
    }

    /// A backplane inside this process, for counters that no other process shares.
    pub fn in_process(clock: Clock) -> Self {
        let listeners = Listeners::default();
        let (link_tx, link) = watch::channel(Link::Up);
        let driver = Arc::new(Memory::new(listeners.clone(), clock, LOG_LENGTH, LOG_AGE, link_tx));
        Self { driver, listeners, link }
    }

    /// Returns a feed that begins now, of all channels that match
    /// [`LOGGED_CHANNELS`](contracts::events::LOGGED_CHANNELS): the events of the log, and the unlogged
    /// messages of these channels.
    pub fn feed(&self) -> Feed {
        Feed::new(Arc::clone(&self.driver), self.listeners.add(false))
    }

    /// Returns a feed that also delivers the messages of all [further channels](Options::channels).
    pub fn feed_of_all_channels(&self) -> Feed {
        Feed::new(Arc::clone(&self.driver), self.listeners.add(true))
    }

    /// Whether announcements are received and appends succeed right now.
    pub fn is_connected(&self) -> bool {
        self.link.borrow().is_up()
    }

    /// Whether the link has been lost for so long that the state of this process is out of date.
    pub fn is_stale(&self) -> bool {
        matches!(*self.link.borrow(), Link::Lost { since, .. } if since.elapsed() > STALE_AFTER)
    }

    /// Returns a receiver for the state of the link.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Publishes events and stores their marks in one atomic step. Publishing an event again is
    /// harmless while the log still has it.
    ///
    /// # Errors
    /// If it is not known whether the events were published; publish them again.
    pub async fn append(&self, entries: &[Entry]) -> Result<()> {
        self.driver.append(entries).await
    }

    /// Publishes a message that is not logged. A process that is disconnected now never receives it. Returns the
    /// number of receivers; on a Redis cluster, some may be missing in this number.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn broadcast(&self, channel: &str, body: &str) -> Result<usize> {
        self.driver.broadcast(channel, body).await
    }

    /// Returns the position of the newest event.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn head(&self) -> Result<Position> {
        self.driver.head().await
    }

    /// Returns the events of the log that follow `position`, at most `limit`.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn log_after(&self, position: &Position, limit: usize) -> Result<LogRead> {
        self.driver.log_after(position, None, limit).await
    }

    /// Stores marks without an event.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn mark(&self, marks: &[Mark]) -> Result<()> {
        self.driver.mark(marks).await
    }

    /// Returns the values of all marks that have not expired, in no particular order.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn marks(&self) -> Result<Vec<String>> {
        self.driver.marks().await
    }

    /// Adds one to the count under `key`, across all replicas, and returns the count. The first hit opens a
    /// window of length `window`; the count restarts when it closes.
    ///
    /// # Errors
    /// If Redis is unavailable: count in process instead.
    pub async fn hit(&self, key: &str, window: Duration) -> Result<u64> {
        self.driver.hit(key, window).await
    }

    /// Returns the count under `key` without adding to it.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn hits(&self, key: &str) -> Result<u64> {
        self.driver.hits(key).await
    }

    /// Stores or deletes values, all in one exchange with Redis.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn put(&self, puts: &[Put]) -> Result<()> {
        self.driver.put(puts).await
    }

    /// Returns the value under `key`.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn get(&self, key: &str) -> Result<Option<String>> {
        self.driver.get(key).await
    }

    /// Returns and deletes the value under `key`. If several callers take it, one of them gets it.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn take(&self, key: &str) -> Result<Option<String>> {
        self.driver.take(key).await
    }

    /// Records that each holder holds its key until `ttl` has passed, across all replicas. Returns the number
    /// of holders of each key. Renew a hold before its `ttl` has passed.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>> {
        self.driver.hold(holds, ttl).await
    }

    /// Returns the holders of a key, in no particular order. Some may have expired already.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn holders(&self, key: &str) -> Result<Vec<String>> {
        self.driver.holders(key).await
    }

    /// Deletes holds before they expire, all in one exchange with Redis.
    ///
    /// # Errors
    /// If Redis is unavailable.
    pub async fn release(&self, holds: &[Hold]) -> Result<()> {
        self.driver.release(holds).await
    }
}
