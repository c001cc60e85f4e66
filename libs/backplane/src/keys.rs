use std::time::Duration;

use async_trait::async_trait;

use crate::Result;

/// One holder of a key. Hits count past events; holds count those present, and expire unless renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub key: String,
    pub holder: String,
}

/// A value to store under a key until `ttl` has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub key: String,
    /// `None` deletes the stored value.
    pub value: Option<String>,
    pub ttl: Duration,
}

/// Expiring keys: counters, values and holders, each kind in a name space of its own.
///
/// Every method fails only if Redis is unavailable or refuses the command.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Adds one to the count under `key`, across all replicas, and returns the count. The first hit opens a
    /// window of length `window`; the count restarts when it closes.
    async fn hit(&self, key: &str, window: Duration) -> Result<u64>;

    /// Returns the count of the open window; 0 if none is open.
    async fn hits(&self, key: &str) -> Result<u64>;

    /// Stores or deletes values, all in one exchange.
    async fn put(&self, puts: &[Put]) -> Result<()>;

    /// Returns the value under `key`.
    async fn get(&self, key: &str) -> Result<Option<String>>;

    /// Returns and deletes the value under `key`. If several callers take it, one of them gets it.
    async fn take(&self, key: &str) -> Result<Option<String>>;

    /// Records that each holder holds its key until `ttl` has passed, across all replicas. Returns the number
    /// of holders of each key. Renew a hold before its `ttl` has passed.
    async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>>;

    /// Returns the holders of a key, in no particular order. Some may have expired already.
    async fn holders(&self, key: &str) -> Result<Vec<String>>;

    /// Deletes holds before they expire, all in one exchange.
    async fn release(&self, holds: &[Hold]) -> Result<()>;
}
