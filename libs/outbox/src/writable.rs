//! The check whether the database accepts writes.

use std::time::{Duration, Instant};

use sea_orm::{ActiveValue::Set, DbBackend, DbErr, EntityTrait};
use uuid::Uuid;

use crate::Database;
use crate::entity::{ActiveModel, Entity};

/// Time for which health checks share one result, because any client may cause one.
const FRESH_FOR: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(1);

/// The last result, and the time of the check.
pub(crate) type LastCheck = Option<(Instant, bool)>;

impl Database {
    /// Whether a transaction can write now. At most once a second, writes a row and rolls it back.
    pub async fn is_writable(&self) -> bool {
        let mut last = self.last_check.lock().await;
        if let Some((at, is_writable)) = *last
            && at.elapsed() < FRESH_FOR
        {
            return is_writable;
        }
        let is_writable = match tokio::time::timeout(PATIENCE, self.write_and_roll_back()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database takes no writes");
                false
            }
            Err(_) => self.is_busy_sqlite().await,
        };
        *last = Some((Instant::now(), is_writable));
        is_writable
    }

    /// Judges a check that took too long. SQLite has one writer at a time, so another writer may be at work.
    async fn is_busy_sqlite(&self) -> bool {
        let is_busy = self.get_database_backend() == DbBackend::Sqlite && self.ping().await.is_ok();
        if !is_busy {
            tracing::warn!(patience = ?PATIENCE, "the database did not accept a write in time");
        }
        is_busy
    }

    async fn write_and_roll_back(&self) -> Result<(), DbErr> {
        let transaction = self.begin().await?;
        let row = ActiveModel {
            event_id: Set(Uuid::now_v7()),
            channel: Set("check".into()),
            envelope: Set(String::new()),
            marks: Set(serde_json::Value::Null),
            created_at: Set(self.clock.now()),
            published_at: Set(None),
            ..ActiveModel::default()
        };
        Entity::insert(row).exec_without_returning(&*transaction).await.map(drop)
    }
}
