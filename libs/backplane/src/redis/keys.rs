//! Counters and values as strings, holders as sorted sets.

use std::time::Duration;

use async_trait::async_trait;
use redis::AsyncTypedCommands;

use super::shared::Commands;
use super::{HOLD, Redis};
use crate::{Hold, Keys, Put, Result};

/// Converts a duration to milliseconds for Redis, at least one.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[async_trait]
impl Keys for Redis {
    async fn hit(&self, key: &str, window: Duration) -> Result<u64> {
        let key = self.names.counter(key);
        let mut count = redis::pipe();
        count.atomic().cmd("SET").arg(&key).arg(0).arg("PX").arg(millis(window)).arg("NX").ignore();
        count.cmd("INCR").arg(&key);
        let (count,) = self.run_shared(Commands::Pipeline(&count)).await?;
        Ok(count)
    }

    async fn hits(&self, key: &str) -> Result<u64> {
        let (count,): (Option<u64>,) =
            self.run_shared(Commands::Pipeline(redis::pipe().get(self.names.counter(key)))).await?;
        Ok(count.unwrap_or(0))
    }

    async fn put(&self, puts: &[Put]) -> Result<()> {
        let mut write = redis::pipe();
        for Put { key, value, ttl } in puts {
            match value {
                Some(value) => write.pset_ex(self.names.value(key), value, millis(*ttl)).ignore(),
                None => write.del(self.names.value(key)).ignore(),
            };
        }
        self.run_shared(Commands::Pipeline(&write)).await
    }

    async fn get(&self, key: &str) -> Result<Option<String>> {
        let (value,) = self.run_shared(Commands::Pipeline(redis::pipe().get(self.names.value(key)))).await?;
        Ok(value)
    }

    async fn take(&self, key: &str) -> Result<Option<String>> {
        self.exchange(|mut connection| async move { connection.get_del(self.names.value(key)).await }).await
    }

    async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>> {
        if holds.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = HOLD.arg(millis(ttl));
        for Hold { key, holder } in holds {
            call.key(self.names.holders(key)).arg(holder);
        }
        self.run_shared(Commands::Script(&call)).await
    }

    async fn holders(&self, key: &str) -> Result<Vec<String>> {
        let mut read = redis::pipe();
        read.cmd("ZRANGE").arg(self.names.holders(key)).arg(0).arg(-1);
        let (holders,) = self.run_shared(Commands::Pipeline(&read)).await?;
        Ok(holders)
    }

    async fn release(&self, holds: &[Hold]) -> Result<()> {
        let mut write = redis::pipe();
        for Hold { key, holder } in holds {
            write.zrem(self.names.holders(key), holder).ignore();
        }
        self.run_shared(Commands::Pipeline(&write)).await
    }
}
