use std::time::Duration;

use backplane::{Backplane, Options};
use contracts::Clock;

/// A request waits no longer for the backplane: one that hangs is as good as away.
const PATIENCE: Duration = Duration::from_millis(250);

/// At most `count` in `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub count: u64,
    pub window: Duration,
}

/// Counts over all replicas, and in this process while the backplane is away: never open.
#[derive(Clone)]
pub struct Limiter {
    shared: Backplane,
    local: Backplane,
}

impl Limiter {
    pub(crate) fn new(shared: Backplane, clock: Clock) -> backplane::Result<Self> {
        Ok(Self { shared, local: Backplane::connect("memory:", Options::new(clock))? })
    }

    /// Counts one more under `key`; `false` if that is over the limit.
    pub async fn admit(&self, key: &str, limit: Limit) -> bool {
        self.count(key, limit.window).await <= limit.count
    }

    /// Counts one more under `key` and returns the count.
    pub async fn count(&self, key: &str, window: Duration) -> u64 {
        match self.in_time(self.shared.hit(key, window)).await {
            Some(count) => count.saturating_add(self.counted_here(key).await),
            None => self.local.hit(key, window).await.unwrap_or(u64::MAX),
        }
    }

    /// The count under `key`, without counting.
    pub async fn counted(&self, key: &str) -> u64 {
        let shared = self.in_time(self.shared.hits(key)).await.unwrap_or(0);
        shared.saturating_add(self.counted_here(key).await)
    }

    /// What was counted while the backplane was away or slow: it is not forgotten when it is back.
    async fn counted_here(&self, key: &str) -> u64 {
        self.local.hits(key).await.unwrap_or(u64::MAX)
    }

    async fn in_time(&self, count: impl Future<Output = backplane::Result<u64>>) -> Option<u64> {
        if !self.shared.is_connected() {
            return None;
        }
        tokio::time::timeout(PATIENCE, count).await.ok()?.ok()
    }
}
