use std::sync::Arc;
use std::time::Duration;

use backplane::{Keys, Link, MemoryKeys};
use contracts::Clock;
use tokio::sync::watch;

/// Longest time that a request waits for the backplane; a slower one counts as unavailable.
const PATIENCE: Duration = Duration::from_millis(250);

/// Counts across all replicas. While the backplane is unavailable or slow, counts in this process, so that
/// a limit always applies.
#[derive(Clone)]
pub struct Limiter {
    shared: Arc<dyn Keys>,
    link: watch::Receiver<Link>,
    /// Every hit in this process: the count to use while the backplane is unavailable.
    here: Arc<MemoryKeys>,
    /// Hits that the backplane did not count; they are added to its counts once it is available again.
    missed: Arc<MemoryKeys>,
}

impl Limiter {
    /// Creates a limiter on top of `shared`, which is available while the link is up. `clock` measures the windows
    /// that this process counts itself.
    pub fn new(shared: Arc<dyn Keys>, link: watch::Receiver<Link>, clock: Clock) -> Self {
        let [here, missed] = [clock.clone(), clock].map(|clock| Arc::new(MemoryKeys::new(clock)));
        Self { shared, link, here, missed }
    }

    /// Adds one hit under `key` and returns the count.
    pub async fn count(&self, key: &str, window: Duration) -> u64 {
        let here = self.here.hit(key, window).await.unwrap_or(u64::MAX);
        if let Some(count) = self.in_time(self.shared.hit(key, window)).await {
            return count.saturating_add(self.missed(key).await);
        }
        if self.missed.hit(key, window).await.is_err() { u64::MAX } else { here }
    }

    /// Returns the count under `key` without adding a hit.
    pub async fn counted(&self, key: &str) -> u64 {
        match self.in_time(self.shared.hits(key)).await {
            Some(count) => count.saturating_add(self.missed(key).await),
            None => self.here.hits(key).await.unwrap_or(u64::MAX),
        }
    }

    async fn missed(&self, key: &str) -> u64 {
        self.missed.hits(key).await.unwrap_or(u64::MAX)
    }

    async fn in_time(&self, count: impl Future<Output = backplane::Result<u64>>) -> Option<u64> {
        if !self.link.borrow().is_up() {
            return None;
        }
        tokio::time::timeout(PATIENCE, count).await.ok()?.ok()
    }
}
