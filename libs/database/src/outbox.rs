use anyhow::Result;
use async_trait::async_trait;
use backplane::Entry;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::database::Database;
use crate::entity::{Column, Entity, Model};

/// The events of committed transactions, as the relay sees them.
///
/// Every method fails if the database is unavailable.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Returns at most `limit` unsent events with their ids, in the order of the ids.
    async fn unsent(&self, limit: u64) -> Result<Vec<(i64, Entry)>>;

    /// Notes that events were published at `now`.
    async fn mark_sent(&self, ids: Vec<i64>, now: DateTime<Utc>) -> Result<()>;

    /// Returns the number of unsent events, and the time of the oldest commit among them.
    async fn backlog(&self) -> Result<(u64, Option<DateTime<Utc>>)>;

    /// Deletes the events that were published before a time.
    async fn delete_sent_before(&self, time: DateTime<Utc>) -> Result<()>;
}

#[async_trait]
impl Outbox for Database {
    async fn unsent(&self, limit: u64) -> Result<Vec<(i64, Entry)>> {
        let rows = Entity::find().filter(Column::PublishedAt.is_null()).order_by_asc(Column::Id).limit(limit);
        rows.all(self).await?.into_iter().map(entry).collect()
    }

    async fn mark_sent(&self, ids: Vec<i64>, now: DateTime<Utc>) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::PublishedAt, Expr::value(now))
            .filter(Column::Id.is_in(ids))
            .exec(self)
            .await?;
        Ok(())
    }

    async fn backlog(&self) -> Result<(u64, Option<DateTime<Utc>>)> {
        let unsent = Entity::find().filter(Column::PublishedAt.is_null());
        let pending = unsent.clone().count(self).await?;
        let oldest = unsent.order_by_asc(Column::Id).one(self).await?;
        Ok((pending, oldest.map(|row| row.created_at)))
    }

    async fn delete_sent_before(&self, time: DateTime<Utc>) -> Result<()> {
        Entity::delete_many().filter(Column::PublishedAt.lt(time)).exec(self).await?;
        Ok(())
    }
}

impl Database {
    /// Returns the newest published events, oldest first.
    pub(crate) async fn newest_published(&self, limit: u64) -> Result<Vec<Entry>> {
        let newest = Entity::find().filter(Column::PublishedAt.is_not_null()).order_by_desc(Column::Id);
        let rows = newest.limit(limit).all(self).await?;
        rows.into_iter().rev().map(|row| Ok(entry(row)?.1)).collect()
    }
}

fn entry(row: Model) -> Result<(i64, Entry)> {
    let marks = serde_json::from_value(row.marks)?;
    Ok((row.id, Entry { event_id: row.event_id, channel: row.channel, envelope: row.envelope, marks }))
}
