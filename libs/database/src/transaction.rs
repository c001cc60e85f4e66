use std::sync::Arc;

use backplane::{Entry, Mark};
use contracts::{Clock, Event};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    ExecResult, QueryFilter, QueryResult, Statement,
};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::chunks::insert_chunked;
use crate::entity::{ActiveModel, Column, Entity};

/// A transaction and the events that its commit publishes. Dropping it rolls back both.
///
/// Events of one subject keep their order if the transaction holds the subject's row lock when it
/// commits, because the rows of its events get their ids just before the commit.
#[derive(Debug)]
pub struct Transaction {
    transaction: DatabaseTransaction,
    clock: Clock,
    /// Wakes the relay of this process.
    committed: Arc<Notify>,
    entries: Vec<Entry>,
    failed: Option<serde_json::Error>,
}

impl Transaction {
    pub(crate) fn new(transaction: DatabaseTransaction, clock: Clock, committed: Arc<Notify>) -> Self {
        Self { transaction, clock, committed, entries: Vec::new(), failed: None }
    }

    /// Makes PostgreSQL use indexes in this transaction. For one that fills a table and reads it again: before the
    /// commit there are no statistics, and each query would read the whole table.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn prefer_indexes(&self) -> Result<(), DbErr> {
        if self.get_database_backend() == DbBackend::Postgres {
            self.execute_unprepared("SET LOCAL enable_seqscan = off").await?;
        }
        Ok(())
    }

    /// Deletes the published events about a user, which would otherwise be kept for a day. Events that are still
    /// unpublished stay.
    ///
    /// # Errors
    /// If the database is unavailable.
    pub async fn erase_published(&self, user_id: Uuid) -> Result<(), DbErr> {
        let about_user = Column::Envelope.contains(format!(r#""userId":"{user_id}""#));
        let published = Entity::delete_many().filter(Column::PublishedAt.is_not_null());
        published.filter(about_user).exec(self).await.map(drop)
    }

    /// Publishes `event` if this transaction commits.
    pub fn emit<E: Event>(&mut self, event: E) {
        self.emit_with(event, Vec::new());
    }

    /// Publishes `event` together with its marks if this transaction commits.
    pub fn emit_with<E: Event>(&mut self, event: E, marks: Vec<Mark>) {
        match Entry::of(event, &self.clock) {
            Ok(entry) => self.entries.push(Entry { marks, ..entry }),
            Err(error) => self.failed = Some(error),
        }
    }

    /// Writes the events with the other rows, commits, and wakes the relay.
    ///
    /// # Errors
    /// If the database refuses, or an event cannot be written as JSON. Nothing is committed then.
    pub async fn commit(self) -> Result<(), DbErr> {
        let Self { transaction, clock, committed, entries, failed } = self;
        if let Some(error) = failed {
            return Err(unwritable(error));
        }
        if entries.is_empty() {
            return transaction.commit().await;
        }
        let created_at = clock.now();
        let rows = entries.into_iter().map(|entry| {
            Ok(ActiveModel {
                event_id: Set(entry.event_id),
                channel: Set(entry.channel),
                envelope: Set(entry.envelope),
                marks: Set(serde_json::to_value(entry.marks).map_err(unwritable)?),
                created_at: Set(created_at),
                published_at: Set(None),
                ..ActiveModel::default()
            })
        });
        let rows = rows.collect::<Result<Vec<_>, DbErr>>()?;
        insert_chunked(&transaction, rows).await?;
        transaction.commit().await?;
        committed.notify_one();
        Ok(())
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.transaction.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.transaction.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.transaction.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.transaction.query_all_raw(statement).await
    }
}

fn unwritable(error: serde_json::Error) -> DbErr {
    DbErr::Custom(format!("an event cannot be written as JSON: {error}"))
}
