//! The check whether the database accepts writes.

use std::time::{Duration, Instant};

use sea_orm::{ActiveValue::Set, DbBackend, DbErr, EntityTrait};
use uuid::Uuid;

use crate::database::Database;
use crate::entity::{ActiveModel, Entity};

/// Time for which health checks share one result, because any client may cause one.
const FRESH_FOR: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(1);
const UNREACHABLE: &str = "the database cannot be reached";

impl Database {
    /// Checks whether a transaction can write now. At most once a second, writes a row and rolls it back.
    ///
    /// # Errors
    /// The reason why not: a fixed text that is safe to show to clients.
    pub async fn check_writes(&self) -> Result<(), &'static str> {
        let mut last = self.last_check.lock().await;
        if let Some((at, outcome)) = *last
            && at.elapsed() < FRESH_FOR
        {
            return outcome;
        }
        let outcome = match tokio::time::timeout(PATIENCE, self.write_and_roll_back()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let is_unreachable = matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_));
                let reason = if is_unreachable { UNREACHABLE } else { "the database takes no writes" };
                tracing::warn!(%error, "{reason}");
                Err(reason)
            }
            Err(_) if self.is_busy_sqlite().await => Ok(()),
            Err(_) => {
                tracing::warn!(patience = ?PATIENCE, "the database did not accept a write in time");
                Err("the database does not respond in time")
            }
        };
        *last = Some((Instant::now(), outcome));
        outcome
    }

    /// Whether a check timed out only because another writer holds the lock of SQLite, which allows one
    /// writer at a time.
    async fn is_busy_sqlite(&self) -> bool {
        self.connection.get_database_backend() == DbBackend::Sqlite && self.connection.ping().await.is_ok()
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
        Entity::insert(row).exec_without_returning(&transaction).await.map(drop)
    }
}
