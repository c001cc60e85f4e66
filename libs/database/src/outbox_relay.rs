use std::time::Duration;

use anyhow::Result;
use backplane::Entry;
use chrono::TimeDelta;
use prometheus::Registry;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;

use crate::database::Database;
use crate::entity::{Column, Entity, Model};
use crate::metrics::Metrics;

const BATCH: u64 = 500;
/// Interval between searches for events that a replica left unpublished when it died.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Time for which published rows are kept, for investigations.
const KEEP: TimeDelta = TimeDelta::hours(24);
const CLEAN_INTERVAL: Duration = Duration::from_secs(600);

impl Database {
    /// Publishes committed events of all replicas until `stop`, and once more after it. `service` labels the
    /// metrics, to distinguish several outboxes in one process.
    ///
    /// # Errors
    /// If the metrics of that service are already registered.
    pub async fn run_relay(&self, registry: &Registry, service: &str, stop: CancellationToken) -> Result<()> {
        let metrics = Metrics::register(registry, service)?;
        let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
        let mut clean = tokio::time::interval(CLEAN_INTERVAL);
        // A commit in this process, the interval, or `stop` wakes the relay.
        loop {
            tokio::select! {
                () = self.committed.notified() => self.publish_or_log().await,
                _ = sweep.tick() => {
                    self.publish_or_log().await;
                    self.measure_or_log(&metrics).await;
                }
                _ = clean.tick() => self.clean_or_log().await,
                () = stop.cancelled() => break,
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

    /// Publishes all unsent events, oldest first. Returns their number.
    ///
    /// # Errors
    /// If the database or the backplane is unavailable. Events that are not marked as sent are sent again.
    pub async fn publish_pending(&self) -> Result<usize> {
        let mut published = 0;
        loop {
            let rows = Entity::find()
                .filter(Column::PublishedAt.is_null())
                .order_by_asc(Column::Id)
                .limit(BATCH)
                .all(self)
                .await?;
            let complete = (rows.len() as u64) < BATCH;
            if rows.is_empty() {
                return Ok(published);
            }
            let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
            let entries = rows.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
            self.log.append(&entries).await?;
            Entity::update_many()
                .col_expr(Column::PublishedAt, Expr::value(self.clock.now()))
                .filter(Column::Id.is_in(ids))
                .exec(self)
                .await?;
            published += entries.len();
            if complete {
                return Ok(published);
            }
        }
    }

    async fn measure(&self, metrics: &Metrics) -> Result<()> {
        let unsent = Entity::find().filter(Column::PublishedAt.is_null());
        let pending = unsent.clone().count(self).await?;
        let oldest = unsent.order_by_asc(Column::Id).one(self).await?;
        let age = oldest.map_or(0, |row| (self.clock.now() - row.created_at).num_seconds());
        metrics.pending.set(i64::try_from(pending)?);
        metrics.oldest_seconds.set(age);
        Ok(())
    }

    async fn clean_or_log(&self) {
        let old = Column::PublishedAt.lt(self.clock.now() - KEEP);
        if let Err(error) = Entity::delete_many().filter(old).exec(self).await {
            tracing::warn!(%error, "cannot delete published events");
        }
    }
}

fn entry(row: Model) -> Result<Entry> {
    Ok(Entry {
        event_id: row.event_id,
        channel: row.channel,
        envelope: row.envelope,
        marks: serde_json::from_value(row.marks)?,
    })
}
