//! Drivers can be replaced and wrapped one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use backplane::{Backplane, Drivers, Entry, Error, Log, LogRead, Position, Result};
use uuid::Uuid;

use super::{entry, next_name, next_reset, options};

/// A log whose first reads fail.
struct Failing {
    log: Arc<dyn Log>,
    failures: AtomicU32,
}

impl Failing {
    fn fail(&self) -> Result<()> {
        let left =
            self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() { Err(Error::unavailable("a simulated fault")) } else { Ok(()) }
    }
}

#[async_trait]
impl Log for Failing {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        self.log.append(entries).await
    }

    async fn broadcast(&self, channel: &str, body: &str) -> Result<usize> {
        self.log.broadcast(channel, body).await
    }

    async fn head(&self) -> Result<Position> {
        self.fail()?;
        self.log.head().await
    }

    async fn read_after(&self, position: &Position, last: Option<Uuid>, limit: usize) -> Result<LogRead> {
        self.fail()?;
        self.log.read_after(position, last, limit).await
    }
}

#[tokio::test]
async fn a_feed_retries_until_a_wrapped_log_can_be_read() {
    let drivers = Drivers::in_process(options());
    let failing = Arc::new(Failing { log: Arc::clone(&drivers.log), failures: AtomicU32::new(2) });
    let backplane = Backplane::over(Drivers { log: failing.clone(), ..drivers });
    let mut feed = backplane.feed();
    assert_eq!(next_reset(&mut feed).await.0.seq, 0);
    assert_eq!(failing.failures.load(Ordering::Relaxed), 0);
    backplane.log.append(&[entry("heard")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "heard");
}
