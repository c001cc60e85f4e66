//! Batches recovery state and released quota slots to the backplane, and flushes them on shutdown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backplane::{Backplane, Hold, Put};
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

const CHUNK: usize = 500;
/// Time until a value that was refused is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Done,
    /// More slots are to be released.
    MoreIsLeft,
    /// The backplane refused values.
    Refused,
}

/// Resolves when the value of a socket, or a newer one, is stored; fails if it never will be.
pub(crate) type Stored = oneshot::Receiver<()>;

type Waiters = HashMap<Arc<str>, Vec<oneshot::Sender<()>>>;

/// Collects writes, and writes them in batches. Of several values of one socket, only the newest is written.
///
/// A value that the backplane refuses is tried again. While the backplane is disconnected, values are given up: when it is
/// available again, the state of another replica may be newer. Sockets that are still open are then written again.
pub(crate) struct BatchWriter {
    backplane: Backplane,
    batch: Mutex<Batch>,
    added: Notify,
}

#[derive(Default)]
struct Batch {
    puts: HashMap<Arc<str>, Put>,
    waiters: Waiters,
    released: Vec<Hold>,
}

impl BatchWriter {
    pub(crate) fn new(backplane: Backplane) -> Self {
        Self { backplane, batch: Mutex::default(), added: Notify::new() }
    }

    /// Adds a value of a socket.
    pub(crate) fn put(&self, socket: &Arc<str>, put: Put) {
        self.lock().puts.insert(Arc::clone(socket), put);
        self.added.notify_one();
    }

    /// Adds a value of a socket, to wait until it is written.
    pub(crate) fn put_and_wait(&self, socket: &Arc<str>, put: Put) -> Stored {
        let (waiter, written) = oneshot::channel();
        let mut batch = self.lock();
        batch.puts.insert(Arc::clone(socket), put);
        let waiters = batch.waiters.entry(Arc::clone(socket)).or_default();
        waiters.retain(|waiter| !waiter.is_closed());
        waiters.push(waiter);
        self.added.notify_one();
        written
    }

    /// Adds the last value of a socket. Nobody waits for the earlier ones any more.
    pub(crate) fn put_last(&self, socket: &Arc<str>, put: Put) {
        self.lock().waiters.remove(socket);
        self.put(socket, put);
    }

    /// Adds slots to release.
    pub(crate) fn release(&self, holds: Vec<Hold>) {
        self.lock().released.extend(holds);
        self.added.notify_one();
    }

    /// Writes until `stop`, then the rest. Additions during a write form the next batch.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.added.notified()).await.is_some() {
            if self.write().await == Progress::Refused {
                stop.run_until_cancelled(sleep(RETRY)).await;
                self.added.notify_one();
            }
        }
        while self.write().await == Progress::MoreIsLeft {}
    }

    /// Writes all values, and one chunk of the releases: callers wait only for values.
    async fn write(&self) -> Progress {
        let (puts, mut waiters, released, is_more_left) = {
            let mut batch = self.lock();
            let left = batch.released.len().saturating_sub(CHUNK);
            let released = batch.released.split_off(left);
            let puts: Vec<_> = std::mem::take(&mut batch.puts).into_iter().collect();
            (puts, std::mem::take(&mut batch.waiters), released, left > 0)
        };
        if is_more_left {
            self.added.notify_one();
        }
        let mut refused = Vec::new();
        for chunk in puts.chunks(CHUNK) {
            if !self.backplane.is_connected() {
                break;
            }
            let values: Vec<_> = chunk.iter().map(|(_, put)| put.clone()).collect();
            match self.backplane.keys.put(&values).await {
                Ok(()) => {
                    chunk.iter().filter_map(|(socket, _)| waiters.remove(socket)).flatten().for_each(notify)
                }
                Err(error) => {
                    tracing::debug!(%error, "could not write recovery state");
                    refused.extend_from_slice(chunk);
                }
            }
        }
        let is_refused = !refused.is_empty();
        self.add_again(refused, waiters);
        if !released.is_empty()
            && self.backplane.is_connected()
            && let Err(error) = self.backplane.keys.release(&released).await
        {
            tracing::debug!(%error, "could not release slots, they will expire");
            return if is_refused { Progress::Refused } else { Progress::Done };
        }
        match (is_refused, is_more_left) {
            (true, _) => Progress::Refused,
            (false, true) => Progress::MoreIsLeft,
            (false, false) => Progress::Done,
        }
    }

    /// Adds values again, unless there are newer ones. Those whose value could not be written wait on.
    fn add_again(&self, puts: Vec<(Arc<str>, Put)>, waiters: Waiters) {
        let mut batch = self.lock();
        for (socket, put) in puts {
            batch.puts.entry(socket).or_insert(put);
        }
        for (socket, waiters) in waiters {
            batch.waiters.entry(socket).or_default().extend(waiters);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn notify(waiter: oneshot::Sender<()>) {
    // An error means that the caller waits no longer.
    let _ = waiter.send(());
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
            writer.put_and_wait(&"socket".into(), put).await.unwrap();
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
