//! Batches recovery state and released quota slots to the backplane, and flushes them on shutdown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backplane::{Backplane, Hold, Put};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

const CHUNK: usize = 500;

/// Resolves when the value of a socket, or a newer one, is stored; fails if it never will be.
pub(crate) type Stored = oneshot::Receiver<()>;

/// Collects writes, and writes them in batches. Of several values of one socket, only the newest is written.
///
/// A value that cannot be written is given up, because another replica may have a newer one by the next attempt. Sockets
/// that are still open have to be added again ([`given_up`](Self::given_up)).
pub(crate) struct BatchWriter {
    backplane: Backplane,
    batch: Mutex<Batch>,
    added: Notify,
    refused: Notify,
}

#[derive(Default)]
struct Batch {
    /// The number of the newest value.
    newest: u64,
    puts: HashMap<Arc<str>, (u64, Put)>,
    /// The callers that wait until that value of a socket, or a newer one, is stored.
    waiters: HashMap<Arc<str>, Vec<(u64, oneshot::Sender<()>)>>,
    released: Vec<Hold>,
}

impl BatchWriter {
    pub(crate) fn new(backplane: Backplane) -> Self {
        let (batch, added, refused) = Default::default();
        Self { backplane, batch, added, refused }
    }

    /// Adds a value of a socket.
    pub(crate) fn put(&self, socket: &Arc<str>, put: Put) {
        self.lock().put(socket, put);
        self.added.notify_one();
    }

    /// Adds a value of a socket, to wait until it is stored.
    pub(crate) fn put_and_wait(&self, socket: &Arc<str>, put: Put) -> Stored {
        let (waiter, stored) = oneshot::channel();
        let mut batch = self.lock();
        let number = batch.put(socket, put);
        let waiters = batch.waiters.entry(Arc::clone(socket)).or_default();
        waiters.retain(|(_, waiter)| !waiter.is_closed());
        waiters.push((number, waiter));
        self.added.notify_one();
        stored
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

    /// Resolves when values were given up although the backplane is connected.
    pub(crate) async fn given_up(&self) {
        self.refused.notified().await;
    }

    /// Writes until `stop`, then the rest. Additions during a write form the next batch.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.added.notified()).await.is_some() {
            self.write().await;
        }
        while self.write().await {}
    }

    /// Writes all values, and one chunk of the releases: callers wait only for values. Returns whether more releases
    /// are left, and are worth a try.
    async fn write(&self) -> bool {
        let (puts, released, is_more_left) = {
            let mut batch = self.lock();
            let left = batch.released.len().saturating_sub(CHUNK);
            let released = batch.released.split_off(left);
            (std::mem::take(&mut batch.puts), released, left > 0)
        };
        if is_more_left {
            self.added.notify_one();
        }
        let (written, puts): (Vec<_>, Vec<_>) =
            puts.into_iter().map(|(socket, (number, put))| ((socket, number), put)).unzip();
        for (written, puts) in written.chunks(CHUNK).zip(puts.chunks(CHUNK)) {
            if !self.backplane.is_connected() {
                break;
            }
            match self.backplane.keys.put(puts).await {
                Ok(()) => self.lock().note_stored(written),
                Err(error) => {
                    tracing::debug!(%error, "could not write recovery state");
                    self.refused.notify_one();
                }
            }
        }
        if !released.is_empty()
            && self.backplane.is_connected()
            && let Err(error) = self.backplane.keys.release(&released).await
        {
            tracing::debug!(%error, "could not release slots, they will expire");
            return false;
        }
        is_more_left
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    /// Returns the number of the value.
    fn put(&mut self, socket: &Arc<str>, put: Put) -> u64 {
        self.newest += 1;
        self.puts.insert(Arc::clone(socket), (self.newest, put));
        self.newest
    }

    /// Notifies those who wait for these values or for earlier ones.
    fn note_stored(&mut self, values: &[(Arc<str>, u64)]) {
        for (socket, stored) in values {
            let Some(waiters) = self.waiters.get_mut(socket) else { continue };
            for (_, waiter) in waiters.extract_if(.., |(number, _)| *number <= *stored) {
                // An error means that the caller waits no longer.
                let _ = waiter.send(());
            }
            if waiters.is_empty() {
                self.waiters.remove(socket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use backplane::Options;
    use contracts::{Clock, Tasks};
    use testing::{PrivateRedis, eventually, wait_for};

    use super::*;

    #[test]
    fn a_caller_waits_for_its_own_value_or_a_newer_one() {
        let put = Put { key: "kept".into(), value: None, ttl: Duration::ZERO };
        let (socket, mut batch) = (Arc::<str>::from("socket"), Batch::default());
        let wait = |batch: &mut Batch| {
            let (waiter, stored) = oneshot::channel();
            let number = batch.put(&socket, put.clone());
            batch.waiters.entry(Arc::clone(&socket)).or_default().push((number, waiter));
            (number, stored)
        };
        let (first, mut stored_first) = wait(&mut batch);
        let (second, mut stored_second) = wait(&mut batch);
        batch.note_stored(&[(Arc::from("socket"), first)]);
        assert_eq!((stored_first.try_recv(), stored_second.try_recv().is_ok()), (Ok(()), false));
        batch.note_stored(&[(Arc::from("socket"), second + 1)]);
        assert_eq!((stored_second.try_recv(), batch.waiters.len()), (Ok(()), 0));
    }

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
