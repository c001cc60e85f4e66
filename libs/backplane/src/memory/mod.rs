//! The backplane of a single process.

mod keys;
mod log;

use std::sync::Arc;

use chrono::TimeDelta;

use crate::backplane::new_link;
use crate::{Announcer, Drivers, Link, Options};

pub use keys::MemoryKeys;
use log::MemoryLog;

const SWEEP_INTERVAL: TimeDelta = TimeDelta::minutes(1);

pub(crate) fn open(options: Options) -> Drivers {
    let (announcer, (link_tx, link)) = (Announcer::default(), new_link());
    link_tx.send_replace(Link::Up);
    let keys = Arc::new(MemoryKeys::new(options.clock.clone()));
    let log = Arc::new(MemoryLog::new(options, announcer.clone(), link_tx));
    Drivers { log: log.clone(), marks: log, keys, announcer, link }
}
