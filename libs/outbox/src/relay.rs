use std::time::Duration;

use anyhow::Result;
use backplane::Entry;
use chrono::TimeDelta;
use prometheus::Registry;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;

use crate::Database;
use crate::entity::{Column, Entity, Model};
use crate::metrics::Metrics;

const BATCH: u64 = 500;
/// How often to look for what a replica that died has left behind.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// How long published rows stay, for whoever looks into what happened.
const KEEP: TimeDelta = TimeDelta::hours(24);
const CLEAN_INTERVAL: Duration = Duration::from_secs(600);

impl Database {
    /// Publishes what is committed, by this replica and by others, until `stop`; then once more.
    /// `service` tells the metrics of several outboxes in one process apart.
    ///
    /// # Errors
    /// If the metrics of that service are already registered.
    pub async fn run_relay(&self, registry: &Registry, service: &str, stop: CancellationToken) -> Result<()> {
        let metrics = Metrics::register(registry, service)?;
        let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
        let mut clean = tokio::time::interval(CLEAN_INTERVAL);
        // Woken by a commit here, by time, and ended by `stop`.
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
            tracing::warn!(%error, "events wait in the outbox");
        }
    }

    async fn measure_or_log(&self, metrics: &Metrics) {
        if let Err(error) = self.measure(metrics).await {
            tracing::warn!(%error, "the outbox cannot be measured");
        }
    }

    /// Publishes all that is unsent, oldest first. Returns how many.
    ///
    /// # Errors
    /// If the database or the backplane is away; what is not marked as sent is sent again.
    pub async fn publish_pending(&self) -> Result<usize> {
        let mut published = 0;
        loop {
            let rows = Entity::find()
                .filter(Column::PublishedAt.is_null())
                .order_by_asc(Column::Id)
                .limit(BATCH)
                .all(&**self)
                .await?;
            let complete = (rows.len() as u64) < BATCH;
            if rows.is_empty() {
                return Ok(published);
            }
            let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
            let entries = rows.into_iter().map(entry).collect::<Result<Vec<_>>>()?;
            self.backplane.append(&entries).await?;
            Entity::update_many()
                .col_expr(Column::PublishedAt, Expr::value(self.clock.now()))
                .filter(Column::Id.is_in(ids))
                .exec(&**self)
                .await?;
            published += entries.len();
            if complete {
                return Ok(published);
            }
        }
    }

    async fn measure(&self, metrics: &Metrics) -> Result<()> {
        let unsent = Entity::find().filter(Column::PublishedAt.is_null());
        let pending = unsent.clone().count(&**self).await?;
        let oldest = unsent.order_by_asc(Column::Id).one(&**self).await?;
        let age = oldest.map_or(0, |row| (self.clock.now() - row.created_at).num_seconds());
        metrics.pending.set(i64::try_from(pending)?);
        metrics.oldest_seconds.set(age);
        Ok(())
    }

    async fn clean_or_log(&self) {
        let old = Column::PublishedAt.lt(self.clock.now() - KEEP);
        if let Err(error) = Entity::delete_many().filter(old).exec(&**self).await {
            tracing::warn!(%error, "published events could not be cleaned away");
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
