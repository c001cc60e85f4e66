//! Batches recovery state and released quota slots to the backplane, and flushes them on shutdown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backplane::{Backplane, Hold, Put};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const CHUNK: usize = 500;
/// Interval between attempts while the backplane is unavailable.
const RETRY: Duration = Duration::from_millis(500);
/// Number of values that wait while the backplane is unavailable.
const MAX_KEPT: usize = 50_000;

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Done,
    /// More slots are to be released.
    MoreIsLeft,
    /// The values wait for the next attempt.
    Failed,
}

/// Collects writes, and writes them in batches. Of several values of one socket, only the newest is written.
pub(crate) struct BatchWriter {
    backplane: Backplane,
    batch: Mutex<Batch>,
    added: Notify,
    written: watch::Sender<u64>,
}

#[derive(Default)]
struct Batch {
    number: u64,
    puts: HashMap<Arc<str>, Put>,
    released: Vec<Hold>,
}

impl BatchWriter {
    pub(crate) fn new(backplane: Backplane) -> Self {
        Self { backplane, batch: Mutex::default(), added: Notify::new(), written: watch::Sender::default() }
    }

    /// Adds a value of a socket. Returns the number of the batch, for [`written`](Self::written).
    pub(crate) fn put(&self, socket: &Arc<str>, put: Put) -> u64 {
        let mut batch = self.lock();
        batch.puts.insert(Arc::clone(socket), put);
        self.added.notify_one();
        batch.number + 1
    }

    /// Adds slots to release.
    pub(crate) fn release(&self, holds: Vec<Hold>) {
        let mut batch = self.lock();
        batch.released.extend(holds);
        self.added.notify_one();
    }

    /// Waits until the values of the batch are written, which may last as long as the backplane is unavailable.
    pub(crate) async fn written(&self, number: u64) {
        // An error means that the process stops.
        let _ = self.written.subscribe().wait_for(|written| *written >= number).await;
    }

    /// Writes until `stop`, then the rest. Additions during a write form the next batch.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let mut has_failed = false;
        loop {
            let due = async {
                if has_failed {
                    sleep(RETRY).await;
                } else {
                    self.added.notified().await;
                }
            };
            if stop.run_until_cancelled(due).await.is_none() {
                break;
            }
            has_failed = self.write().await == Progress::Failed;
        }
        while self.write().await == Progress::MoreIsLeft {}
    }

    /// Writes all values, and one chunk of the releases: callers wait only for values.
    async fn write(&self) -> Progress {
        let (number, mut puts, released, is_more_left) = {
            let mut batch = self.lock();
            batch.number += 1;
            let left = batch.released.len().saturating_sub(CHUNK);
            let released = batch.released.split_off(left);
            (batch.number, std::mem::take(&mut batch.puts), released, left > 0)
        };
        if is_more_left {
            self.added.notify_one();
        }
        while !puts.is_empty() {
            let sockets: Vec<_> = puts.keys().take(CHUNK).cloned().collect();
            let chunk: Vec<_> = sockets.iter().map(|socket| puts[socket].clone()).collect();
            if !self.backplane.is_connected() {
                return self.keep_for_later(puts, released);
            }
            if let Err(error) = self.backplane.keys.put(&chunk).await {
                tracing::debug!(%error, "could not write recovery state");
                return self.keep_for_later(puts, released);
            }
            puts.retain(|socket, _| !sockets.contains(socket));
        }
        self.written.send_replace(number);
        if !released.is_empty()
            && self.backplane.is_connected()
            && let Err(error) = self.backplane.keys.release(&released).await
        {
            tracing::debug!(%error, "could not release slots, they will expire");
            return Progress::Done;
        }
        if is_more_left { Progress::MoreIsLeft } else { Progress::Done }
    }

    /// Adds values that could not be written to the next batch, unless there are newer ones. The slots expire.
    fn keep_for_later(&self, puts: HashMap<Arc<str>, Put>, released: Vec<Hold>) -> Progress {
        let mut batch = self.lock();
        if batch.puts.len() + puts.len() > MAX_KEPT {
            tracing::warn!(
                lost = puts.len(),
                "too much recovery state waits for Redis: some clients cannot resume"
            );
            return Progress::Failed;
        }
        for (socket, put) in puts {
            batch.puts.entry(socket).or_insert(put);
        }
        drop(released);
        Progress::Failed
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use backplane::Options;
    use contracts::{Clock, Tasks};
    use testing::{PrivateRedis, eventually, wait_for};

    use super::*;

    #[tokio::test]
    async fn a_value_does_not_wait_until_many_slots_are_released() {
        const MANY: usize = 100 * CHUNK;
        let (redis, stop) = (PrivateRedis::start(), CancellationToken::new());
        let options = Options::new(Clock::system(), Tasks::new(stop.clone()));
        let backplane = Backplane::connect(&redis.url(), options).unwrap();
        eventually("the connection", async || backplane.is_connected()).await;
        let holds: Vec<Hold> =
            (0..MANY).map(|number| Hold { key: "key".into(), holder: number.to_string() }).collect();
        for chunk in holds.chunks(CHUNK) {
            backplane.keys.hold(chunk, Duration::from_secs(60)).await.unwrap();
        }
        let writer = Arc::new(BatchWriter::new(backplane.clone()));
        writer.release(holds);
        // Counted by one holder more, because a list of that many could time out.
        let witness = [Hold { key: "key".into(), holder: "witness".into() }];
        let count = async || backplane.keys.hold(&witness, Duration::from_secs(60)).await.ok();
        let left = async || wait_for("a count", count).await[0] - 1;
        let put = Put { key: "kept".into(), value: Some("state".into()), ttl: Duration::from_secs(60) };
        let writing = writer.run(stop.clone());
        let waiting = async {
            eventually("the releases to begin", async || left().await < MANY as u64).await;
            writer.written(writer.put(&"socket".into(), put)).await;
            let meanwhile = left().await;
            stop.cancel();
            meanwhile
        };
        let ((), meanwhile) = tokio::join!(writing, waiting);
        assert!(meanwhile > 0, "the caller waited for the releases");
        assert_eq!(backplane.keys.get("kept").await.unwrap().as_deref(), Some("state"));
        assert_eq!(left().await, 0, "the rest is written at the end");
    }
}
