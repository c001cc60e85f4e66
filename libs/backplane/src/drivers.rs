use std::sync::Arc;

use tokio::sync::watch;

use crate::{Announcer, Keys, Link, Log, Marks};

/// The parts that implement a backplane. Another implementation may replace or wrap each of them.
pub struct Drivers {
    pub log: Arc<dyn Log>,
    pub marks: Arc<dyn Marks>,
    pub keys: Arc<dyn Keys>,
    /// The drivers keep a clone, and announce through it.
    pub announcer: Announcer,
    /// The drivers keep the sender. [`Link::Up`] promises that announcements arrive and an append succeeds.
    pub link: watch::Receiver<Link>,
}
