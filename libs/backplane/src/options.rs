use std::time::Duration;

use contracts::{Clock, Tasks};

use crate::{Prefix, ServerCheck, Tls};

pub(crate) const LOG_LENGTH: usize = 20_000;
pub(crate) const LOG_AGE: Duration = Duration::from_secs(3_600);

/// Parameters of [`Backplane::connect`].
#[derive(Clone, Debug)]
pub struct Options {
    pub clock: Clock,
    pub tasks: Tasks,
    /// Further channels to receive, as patterns of `PSUBSCRIBE`. Logged channels are always received.
    pub channels: Vec<String>,
    pub tls: Tls,
    /// Checks each server that `REDIS_URL` does not name, before a connection without TLS.
    pub server_check: ServerCheck,
    /// Separates installations that share one Redis.
    pub prefix: Prefix,
    /// Maximum number of events in the log.
    pub log_length: usize,
    /// Maximum age of an event in the log.
    pub log_age: Duration,
}

impl Options {
    /// Limits the log to 20,000 events or one hour, whichever is less. Adds no further channels.
    pub fn new(clock: Clock, tasks: Tasks) -> Self {
        Self {
            clock,
            tasks,
            channels: Vec::new(),
            tls: Tls::default(),
            server_check: ServerCheck::default(),
            prefix: Prefix::default(),
            log_length: LOG_LENGTH,
            log_age: LOG_AGE,
        }
    }
}
