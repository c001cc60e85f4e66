use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::announcer::Announcer;
use crate::drivers::Drivers;
use crate::feed::Feed;
use crate::keys::Keys;
use crate::link::Link;
use crate::log::Log;
use crate::marks::Marks;
use crate::options::Options;
use crate::{Result, memory, redis};

/// Time without the backplane after which [`Backplane::is_stale`] is true.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// The connection of one process to all others. Cheap to clone.
#[derive(Clone)]
pub struct Backplane {
    pub log: Arc<dyn Log>,
    pub marks: Arc<dyn Marks>,
    pub keys: Arc<dyn Keys>,
    announcer: Announcer,
    link: watch::Receiver<Link>,
}

impl Drivers {
    /// Creates the drivers of this process alone.
    pub fn in_process(options: Options) -> Self {
        memory::open(options)
    }

    /// Creates the drivers on Redis, and begins to connect.
    ///
    /// # Errors
    /// If the URL or a certificate cannot be used.
    pub fn on_redis(url: &str, options: Options) -> Result<Self> {
        redis::open(url, options)
    }
}

impl fmt::Debug for Backplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backplane").field("link", &*self.link.borrow()).finish_non_exhaustive()
    }
}

impl Backplane {
    /// Connects to `memory:` (this process alone) or to Redis.
    ///
    /// An unavailable Redis is not an error: the connection is opened, and reopened, in the background.
    /// Must be called inside a tokio runtime. The tasks end when the last clone and the last feed are
    /// dropped.
    ///
    /// # Errors
    /// If the URL or a certificate cannot be used.
    pub fn connect(url: &str, options: Options) -> Result<Self> {
        let drivers = if url.starts_with("memory:") {
            Drivers::in_process(options)
        } else {
            Drivers::on_redis(url, options)?
        };
        Ok(Self::over(drivers))
    }

    /// Creates a backplane over drivers of any kind. `tests/conformance` states what drivers have to keep.
    pub fn over(drivers: Drivers) -> Self {
        let Drivers { log, marks, keys, announcer, link } = drivers;
        Self { log, marks, keys, announcer, link }
    }

    /// Returns a feed that begins now, of all channels that match
    /// [`LOGGED_CHANNELS`](contracts::events::LOGGED_CHANNELS): the events of the log, and the unlogged
    /// messages of these channels.
    pub fn feed(&self) -> Feed {
        Feed::new(Arc::clone(&self.log), self.announcer.subscribe(false))
    }

    /// Returns a feed that also delivers the messages of all [further channels](Options::channels).
    pub fn feed_of_all_channels(&self) -> Feed {
        Feed::new(Arc::clone(&self.log), self.announcer.subscribe(true))
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
}
