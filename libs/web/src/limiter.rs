use std::time::Duration;

use backplane::Backplane;
use contracts::Clock;

/// A request waits no longer for the backplane: one that hangs is as good as away.
const PATIENCE: Duration = Duration::from_millis(250);

/// At most `count` in `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub count: u64,
    pub window: Duration,
}

/// Counts over all replicas, and in this process while the backplane is away or slow: never open.
#[derive(Clone)]
pub struct Limiter {
    shared: Backplane,
    /// All that this process counted: what is known while the backplane does not answer.
    here: Backplane,
    /// What the backplane does not know of, and will not when it is back.
    missed: Backplane,
}

impl Limiter {
    pub(crate) fn new(shared: Backplane, clock: Clock) -> Self {
        let missed = Backplane::in_process(clock.clone());
        Self { shared, here: Backplane::in_process(clock), missed }
    }

    /// Counts one more under `key`; `false` if that is over the limit.
    pub async fn admit(&self, key: &str, limit: Limit) -> bool {
        self.count(key, limit.window).await <= limit.count
    }

    /// Counts one more under `key` and returns the count.
    pub async fn count(&self, key: &str, window: Duration) -> u64 {
        let here = self.here.hit(key, window).await.unwrap_or(u64::MAX);
        if let Some(count) = self.in_time(self.shared.hit(key, window)).await {
            return count.saturating_add(self.missed(key).await);
        }
        if self.missed.hit(key, window).await.is_err() { u64::MAX } else { here }
    }

    /// The count under `key`, without counting.
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
