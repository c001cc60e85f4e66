use std::ops::Deref;

use backplane::{Entry, Mark};
use contracts::Event;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, DbErr, EntityTrait};

use crate::Database;
use crate::entity::{ActiveModel, Entity};

/// Rows of one INSERT: SQLite takes 32,766 parameters in one statement, and a row has six.
const ROWS_PER_INSERT: usize = 2_000;

/// A transaction and the events that its commit publishes. Dropping it rolls back both.
///
/// Events of one subject keep their order if the transaction holds the subject's row lock when it
/// commits, because the rows of its events get their ids just before the commit.
#[derive(Debug)]
pub struct Transaction {
    transaction: DatabaseTransaction,
    database: Database,
    entries: Vec<Entry>,
    failed: Option<serde_json::Error>,
}

impl Deref for Transaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

impl Transaction {
    pub(crate) fn new(transaction: DatabaseTransaction, database: &Database) -> Self {
        Self { transaction, database: database.clone(), entries: Vec::new(), failed: None }
    }

    /// Publishes `event` if this transaction commits.
    pub fn emit<E: Event>(&mut self, event: E) {
        self.emit_with(event, Vec::new());
    }

    /// Publishes `event` together with its marks if this transaction commits.
    pub fn emit_with<E: Event>(&mut self, event: E, marks: Vec<Mark>) {
        match Entry::of(event, &self.database.clock) {
            Ok(entry) => self.entries.push(Entry { marks, ..entry }),
            Err(error) => self.failed = Some(error),
        }
    }

    /// Writes the events with the other rows, commits, and wakes the relay.
    ///
    /// # Errors
    /// If the database refuses, or an event cannot be written as JSON. Nothing is committed then.
    pub async fn commit(self) -> Result<(), DbErr> {
        let Self { transaction, database, entries, failed } = self;
        if let Some(error) = failed {
            return Err(unwritable(error));
        }
        if entries.is_empty() {
            return transaction.commit().await;
        }
        let created_at = database.clock.now();
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
        for chunk in rows.chunks(ROWS_PER_INSERT) {
            Entity::insert_many(chunk.to_vec()).exec_without_returning(&transaction).await?;
        }
        transaction.commit().await?;
        database.committed.notify_one();
        Ok(())
    }
}

fn unwritable(error: serde_json::Error) -> DbErr {
    DbErr::Custom(format!("an event cannot be written as JSON: {error}"))
}
