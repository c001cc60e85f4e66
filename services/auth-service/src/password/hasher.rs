//! Hashes and verifies passwords outside the async threads, on at most one thread per core, behind a bounded
//! and fair queue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use bcrypt::BcryptError;
use prometheus::{Histogram, IntGauge};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::login::attempt::QueueGroup;
use crate::password::fair_queue::{FairQueue, Step, Ticket};
use crate::password::{Password, scheme};

/// Nice value of the hashing threads (per thread on Linux).
const NICENESS: i32 = 10;

#[derive(Clone)]
pub struct PasswordHasher {
    cost: u32,
    cores: Cores,
    duration: Histogram,
}

/// The queue is full, or the process is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be hashed or compared")]
pub struct Overloaded;

#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error(transparent)]
    Bcrypt(#[from] BcryptError),
}

impl PasswordHasher {
    /// `queue` is the number of jobs that may wait, not counting the running ones.
    pub fn new(cost: u32, queue: usize, duration: Histogram, waiting: IntGauge) -> Self {
        let idle = available_parallelism().map_or(1, usize::from);
        let schedule = Schedule { idle, line: FairQueue::new(queue), waiting };
        Self { cost, cores: Cores(Arc::new(Mutex::new(schedule))), duration }
    }

    /// Hashes a new password. `path` is the job's path in the queue; see [`FairQueue`].
    pub async fn hash(&self, password: Password, path: Vec<Step<QueueGroup>>) -> Result<String, HashError> {
        let cost = self.cost;
        Ok(self.run(path, move || scheme::hash(&password, cost)).await??)
    }

    /// Compares a password with the stored one. Costs the same work if nothing is stored.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<String>,
        path: Vec<Step<QueueGroup>>,
    ) -> Result<bool, HashError> {
        let cost = self.cost;
        Ok(self.run(path, move || scheme::verify(&password, stored.as_deref(), cost)).await??)
    }

    pub fn needs_upgrade(&self, stored: &str) -> bool {
        scheme::needs_upgrade(stored, self.cost)
    }

    async fn run<T: Send + 'static>(
        &self,
        path: Vec<Step<QueueGroup>>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let core = self.cores.wait(path).await?;
        let duration = self.duration.clone();
        spawn_blocking(move || {
            // Held inside the closure: a caller that disconnects must not free a core that is still at work.
            let _held = core;
            let _timer = duration.start_timer();
            give_way();
            work()
        })
        .await
        .map_err(|_error| Overloaded)
    }
}

/// The cores that may hash, and the queue in front of them.
#[derive(Clone)]
struct Cores(Arc<Mutex<Schedule>>);

struct Schedule {
    idle: usize,
    /// Empty while a core is idle.
    line: FairQueue<QueueGroup, oneshot::Sender<Core>>,
    waiting: IntGauge,
}

impl Schedule {
    fn change_line<T>(
        &mut self,
        change: impl FnOnce(&mut FairQueue<QueueGroup, oneshot::Sender<Core>>) -> T,
    ) -> T {
        let changed = change(&mut self.line);
        self.waiting.set(i64::try_from(self.line.len()).unwrap_or(i64::MAX));
        changed
    }
}

impl Cores {
    async fn wait(&self, path: Vec<Step<QueueGroup>>) -> Result<Core, Overloaded> {
        let (sender, granted) = oneshot::channel();
        let _place = {
            let mut schedule = self.lock();
            if schedule.idle > 0 {
                schedule.idle -= 1;
                return Ok(Core(self.clone()));
            }
            // Dropping the sender of a shed job wakes its caller with an error.
            let (ticket, _shed) = schedule.change_line(|line| line.push(path, sender));
            Waiting { cores: self.clone(), ticket }
        };
        granted.await.map_err(|_error| Overloaded)
    }

    fn lock(&self) -> MutexGuard<'_, Schedule> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waiting job in the queue. If the caller disconnects, this value is dropped and the job is removed.
struct Waiting {
    cores: Cores,
    ticket: Ticket<QueueGroup>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let left = self.cores.lock().change_line(|line| line.remove(&self.ticket));
        drop(left);
    }
}

/// The right to keep one core busy. When dropped, it passes to the next job in the queue.
struct Core(Cores);

impl Drop for Core {
    fn drop(&mut self) {
        let next = {
            let mut schedule = self.0.lock();
            let next = schedule.change_line(FairQueue::pop);
            schedule.idle += usize::from(next.is_none());
            next
        };
        if let Some(next) = next {
            // If that caller has disconnected, `send` returns the core. Dropped here, it passes to the next
            // job.
            let _ = next.send(Self(self.0.clone()));
        }
    }
}

/// Lowers the priority of this thread, so that the threads that serve requests go first on every core. If the
/// system does not allow this, requests wait a little longer.
fn give_way() {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "could not lower the priority of a hashing thread");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use prometheus::HistogramOpts;
    use tokio::task::JoinSet;

    use super::*;
    use crate::login::attempt::Attempt;
    use crate::user::email::Email;

    fn hasher(queue: usize) -> PasswordHasher {
        let duration = Histogram::with_opts(HistogramOpts::new("h", "h")).unwrap();
        PasswordHasher::new(4, queue, duration, IntGauge::new("w", "w").unwrap())
    }

    fn path(name: &str) -> Vec<Step<QueueGroup>> {
        let email = Email::parse(&format!("{name}@example.com")).unwrap();
        Attempt { email, ip: [203, 0, 113, 9].into() }.path()
    }

    #[expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]
    fn spawn<T: Send + 'static>(
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        tokio::spawn(work)
    }

    /// Keeps all cores busy until the returned sender is dropped.
    async fn occupy(hasher: &PasswordHasher) -> mpsc::Sender<()> {
        let cores = available_parallelism().unwrap().get();
        let (gate, waiting) = mpsc::channel::<()>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..cores {
            let (hasher, waiting) = (hasher.clone(), waiting.clone());
            spawn(async move {
                hasher.run(vec![], move || waiting.lock().unwrap().recv().unwrap_err()).await.unwrap();
            });
        }
        testing::eventually("all cores are busy", async || hasher.cores.lock().idle == 0).await;
        gate
    }

    #[tokio::test]
    async fn a_hashed_password_is_verified() {
        let hasher = hasher(1);
        let password = Password::parse("correct horse").unwrap();
        let stored = hasher.hash(password.clone(), path("alice")).await.unwrap();
        assert!(hasher.verify(password.clone(), Some(stored.clone()), path("alice")).await.unwrap());
        assert!(!hasher.verify(password, None, path("alice")).await.unwrap());
        assert!(!hasher.needs_upgrade(&stored));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn at_most_one_job_per_core_runs_and_the_excess_is_shed_s37() {
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
                hasher.run(path("alice"), work).await
            });
        }
        for _ in 0..5 {
            let shed = tokio::time::timeout(testing::LIMIT, calls.join_next()).await;
            assert_eq!(shed.expect("a response at once").unwrap().unwrap(), Err(Overloaded));
        }
        drop(gate);
        while let Some(done) = calls.join_next().await {
            assert!(done.unwrap().unwrap() <= cores);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_full_queue_sheds_a_greedy_job_for_another_account_s59() {
        let hasher = hasher(2);
        let gate = occupy(&hasher).await;
        let wait = |name| {
            let hasher = hasher.clone();
            spawn(async move { hasher.run(path(name), || ()).await })
        };
        let waiting = |count| {
            let cores = hasher.cores.clone();
            async move { testing::eventually("they wait", async || cores.lock().line.len() == count).await }
        };
        let first = wait("greedy");
        waiting(1).await;
        let second = wait("greedy");
        waiting(2).await;
        let other = wait("other");
        let shed = tokio::time::timeout(testing::LIMIT, second).await;
        assert_eq!(shed.expect("the job of the greedy account is shed at once").unwrap(), Err(Overloaded));
        drop(gate);
        assert_eq!((first.await.unwrap(), other.await.unwrap()), (Ok(()), Ok(())));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_caller_that_disconnects_leaves_the_queue_and_frees_its_core_s59() {
        let hasher = hasher(1);
        let gate = occupy(&hasher).await;
        let gone = spawn({
            let hasher = hasher.clone();
            async move { hasher.run(path("alice"), || ()).await }
        });
        testing::eventually("it waits", async || hasher.cores.lock().line.len() == 1).await;
        gone.abort();
        testing::eventually("it left", async || hasher.cores.lock().line.len() == 0).await;
        drop(gate);
        let cores = available_parallelism().unwrap().get();
        testing::eventually("all cores are idle", async || hasher.cores.lock().idle == cores).await;
        hasher.run(path("alice"), || ()).await.unwrap();
    }
}
