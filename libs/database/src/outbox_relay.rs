use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use backplane::Log;
use chrono::TimeDelta;
use contracts::Clock;
use prometheus::Registry;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::database::Database;
use crate::metrics::Metrics;
use crate::outbox::Outbox;

const BATCH: u64 = 500;
/// Maximum number of times in a row that the log may begin anew before the relay waits.
const MAX_ATTEMPTS: u32 = 3;
/// Interval between searches for events that a replica left unpublished when it died.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Time for which published rows are kept, for investigations.
const KEEP: TimeDelta = TimeDelta::hours(24);
/// Number of events that are restored.
const RESTORED: u64 = 1_000;
const CLEAN_INTERVAL: Duration = Duration::from_secs(600);

/// Publishes the events of an outbox.
pub struct OutboxRelay<'a> {
    pub outbox: &'a dyn Outbox,
    pub log: &'a Arc<dyn Log>,
    pub clock: &'a Clock,
    /// Notified after each commit of this process.
    pub committed: &'a Notify,
}

impl Database {
    /// Publishes committed events of all replicas until `stop`, and once more after it. `service` labels the
    /// metrics, to distinguish several outboxes in one process.
    ///
    /// # Errors
    /// If the metrics of that service are already registered.
    pub async fn run_relay(&self, registry: &Registry, service: &str, stop: CancellationToken) -> Result<()> {
        self.relay().run(registry, service, stop).await
    }

    /// Publishes all unsent events, oldest first. Returns their number.
    ///
    /// # Errors
    /// If the database or the backplane is unavailable. Events that are not marked as sent are sent again.
    pub async fn publish_pending(&self) -> Result<usize> {
        self.relay().publish_pending().await
    }

    /// Fills the empty log of a process that keeps it in memory with the newest published events, oldest first. A reader
    /// that stored its position before the process ended finds there what it has not read. Call it before anything can
    /// subscribe.
    ///
    /// # Errors
    /// If the database or the backplane is unavailable.
    pub async fn restore_log(&self) -> Result<()> {
        let entries = self.newest_published(RESTORED).await?;
        Ok(self.log.append(&entries).await?)
    }

    fn relay(&self) -> OutboxRelay<'_> {
        OutboxRelay { outbox: self, log: &self.log, clock: &self.clock, committed: &self.committed }
    }
}

impl OutboxRelay<'_> {
    /// See [`Database::run_relay`].
    ///
    /// # Errors
    /// If the metrics of that service are already registered.
    pub async fn run(self, registry: &Registry, service: &str, stop: CancellationToken) -> Result<()> {
        let metrics = Metrics::register(registry, service)?;
        let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
        let mut clean = tokio::time::interval(CLEAN_INTERVAL);
        // A commit in this process, the interval, or `stop` wakes the relay.
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                _ = clean.tick() => self.clean_or_log().await,
                _ = sweep.tick() => {
                    self.publish_or_log().await;
                    self.measure_or_log(&metrics).await;
                }
                () = self.committed.notified() => self.publish_or_log().await,
            }
        }
        self.publish_or_log().await;
        Ok(())
    }

    async fn publish_or_log(&self) {
        if let Err(error) = self.publish_pending().await {
            tracing::warn!(error = format!("{error:#}"), "events wait in the outbox");
        }
    }

    async fn measure_or_log(&self, metrics: &Metrics) {
        if let Err(error) = self.measure(metrics).await {
            tracing::warn!(%error, "cannot measure the outbox");
        }
    }

    async fn publish_pending(&self) -> Result<usize> {
        let (mut published, mut attempts) = (0, 0);
        loop {
            let unsent = self.outbox.unsent(BATCH).await?;
            let complete = (unsent.len() as u64) < BATCH;
            if unsent.is_empty() {
                return Ok(published);
            }
            let (ids, entries): (Vec<_>, Vec<_>) = unsent.into_iter().unzip();
            match self.log.append(&entries).await {
                Err(backplane::Error::LogChanged) if attempts < MAX_ATTEMPTS => {
                    attempts += 1;
                    continue;
                }
                appended => appended?,
            }
            self.outbox.mark_sent(ids, self.clock.now()).await?;
            published += entries.len();
            if complete {
                return Ok(published);
            }
        }
    }

    async fn measure(&self, metrics: &Metrics) -> Result<()> {
        let (pending, oldest) = self.outbox.backlog().await?;
        let age = oldest.map_or(0, |committed| (self.clock.now() - committed).num_seconds());
        metrics.pending.set(i64::try_from(pending)?);
        metrics.oldest_seconds.set(age);
        Ok(())
    }

    async fn clean_or_log(&self) {
        if let Err(error) = self.outbox.delete_sent_before(self.clock.now() - KEEP).await {
            tracing::warn!(%error, "cannot delete published events");
        }
    }
}
