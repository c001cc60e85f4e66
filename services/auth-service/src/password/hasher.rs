//! Where hashing runs: off the async threads, on at most one thread per core, behind a queue that is
//! bounded, so that a flood of logins costs those who log in and nobody else.

use std::sync::Arc;
use std::thread::available_parallelism;

use bcrypt::BcryptError;
use prometheus::Histogram;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::{Password, scheme};

/// Of the threads that hash; on Linux a thread has its own.
const NICENESS: i32 = 10;

#[derive(Clone)]
pub struct PasswordHasher {
    cost: u32,
    cores: Arc<Semaphore>,
    /// Those who hash and those who wait for a core.
    admitted: Arc<Semaphore>,
    duration: Histogram,
}

/// The queue is full, or the process stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be checked")]
pub struct Overloaded;

#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error(transparent)]
    Bcrypt(#[from] BcryptError),
}

impl PasswordHasher {
    /// `queue` is how many may wait besides those that are hashed.
    pub fn new(cost: u32, queue: usize, duration: Histogram) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            cost,
            cores: Arc::new(Semaphore::new(cores)),
            admitted: Arc::new(Semaphore::new(cores + queue)),
            duration,
        }
    }

    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        let cost = self.cost;
        Ok(self.run(move || scheme::hash(&password, cost)).await??)
    }

    /// Costs the same whether something is stored or not.
    pub async fn verify(&self, password: Password, stored: Option<String>) -> Result<bool, HashError> {
        let cost = self.cost;
        Ok(self.run(move || scheme::verify(&password, stored.as_deref(), cost)).await??)
    }

    pub fn needs_upgrade(&self, stored: &str) -> bool {
        scheme::needs_upgrade(stored, self.cost)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let admission = self.admitted.clone().try_acquire_owned().map_err(|_| Overloaded)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|_| Overloaded)?;
        let duration = self.duration.clone();
        spawn_blocking(move || {
            // Held in here: a caller that goes away does not free a core that is still at work.
            let _held = (admission, core);
            let _timer = duration.start_timer();
            give_way();
            work()
        })
        .await
        .map_err(|_| Overloaded)
    }
}

/// Lets the threads that answer requests go first on every core. Where the system does not allow it,
/// they wait a little longer.
fn give_way() {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "hashing runs at the priority of everything else");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, mpsc};

    use prometheus::HistogramOpts;
    use tokio::task::JoinSet;

    use super::*;

    fn hasher(queue: usize) -> PasswordHasher {
        PasswordHasher::new(4, queue, Histogram::with_opts(HistogramOpts::new("h", "h")).unwrap())
    }

    #[tokio::test]
    async fn hashed_is_verified() {
        let hasher = hasher(1);
        let password = Password::parse("correct horse").unwrap();
        let stored = hasher.hash(password.clone()).await.unwrap();
        assert!(hasher.verify(password.clone(), Some(stored.clone())).await.unwrap());
        assert!(!hasher.verify(password, None).await.unwrap());
        assert!(!hasher.needs_upgrade(&stored));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn s37_at_most_one_per_core_works_and_the_excess_is_shed() {
        let hasher = hasher(3);
        let cores = available_parallelism().unwrap().get();
        let (gate, waiting) = mpsc::channel::<()>();
        let (waiting, at_work) = (Arc::new(Mutex::new(waiting)), Arc::new(AtomicUsize::new(0)));
        let mut calls = JoinSet::new();
        for _ in 0..cores + 3 + 5 {
            let (hasher, waiting, at_work) = (hasher.clone(), waiting.clone(), at_work.clone());
            #[expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]
            calls.spawn(async move {
                let work = move || {
                    let now = at_work.fetch_add(1, Ordering::SeqCst) + 1;
                    waiting.lock().unwrap().recv().unwrap_err();
                    at_work.fetch_sub(1, Ordering::SeqCst);
                    now
                };
                hasher.run(work).await
            });
        }
        for _ in 0..5 {
            let shed = tokio::time::timeout(testing::LIMIT, calls.join_next()).await;
            assert_eq!(shed.expect("an answer at once").unwrap().unwrap(), Err(Overloaded));
        }
        drop(gate);
        while let Some(done) = calls.join_next().await {
            assert!(done.unwrap().unwrap() <= cores);
        }
    }
}
