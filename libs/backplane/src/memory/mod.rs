//! The backplane of a single process.

mod keys;
mod log;
mod sweep;

use std::sync::Arc;

use crate::link::new_link;
use crate::{Announcer, Drivers, Link, Options};

pub use keys::MemoryKeys;
use log::MemoryLog;

pub(crate) fn open(options: Options) -> Drivers {
    let (announcer, (link_tx, link)) = (Announcer::default(), new_link());
    link_tx.send_replace(Link::Up);
    let keys = Arc::new(MemoryKeys::new(options.clock.clone()));
    let log = Arc::new(MemoryLog::new(options, announcer.clone(), link_tx));
    Drivers { log: log.clone(), marks: log, keys, announcer, link }
}
