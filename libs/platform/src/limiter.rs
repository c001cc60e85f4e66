use std::time::Duration;

use backplane::Backplane;
use contracts::Clock;

/// Longest time that a request waits for the backplane; a slower one counts as unavailable.
const PATIENCE: Duration = Duration::from_millis(250);

/// Counts across all replicas. While the backplane is unavailable or slow, counts in this process, so that
/// a limit always applies.
#[derive(Clone)]
pub struct Limiter {
    shared: Backplane,
    /// Every hit in this process: the count to use while the backplane is unavailable.
    here: Backplane,
    /// Hits that the backplane did not count; they are added to its counts once it is available again.
    missed: Backplane,
}

impl Limiter {
    /// Creates a limiter on top of `shared`. `clock` measures the windows that this process counts itself.
    pub fn new(shared: Backplane, clock: Clock) -> Self {
        let missed = Backplane::in_process(clock.clone());
        Self { shared, here: Backplane::in_process(clock), missed }
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
        if !self.shared.is_connected() {
            return None;
        }
        tokio::time::timeout(PATIENCE, count).await.ok()?.ok()
    }
}
