//! Deliveries that are sent again.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, Query};

use super::entity::{ActiveModel, Column, Entity, Status};

/// The deliveries that are sent again.
pub(super) enum Again {
    One(i64),
    /// At most `limit` of a destination, oldest first.
    Since {
        destination: Uuid,
        since: DateTime<Utc>,
        limit: u64,
    },
}

/// Makes finished deliveries wait again. Returns their number.
pub(super) async fn replay(
    db: &impl ConnectionTrait,
    which: Again,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let which = match which {
        Again::One(id) => Column::Id.eq(id),
        Again::Since { destination, since, limit } => {
            let ids = Query::select()
                .column(Column::Id)
                .from(Entity)
                .and_where(Column::DestinationId.eq(destination))
                .and_where(Column::CreatedAt.gte(since))
                .and_where(Column::Status.ne(Status::Pending))
                .order_by(Column::Id, sea_orm::Order::Asc)
                .limit(limit)
                .take();
            Column::Id.in_subquery(ids)
        }
    };
    let row = ActiveModel {
        status: Set(Status::Pending),
        due_at: Set(now),
        expires_at: Set(expires_at),
        attempts: Set(0),
        failure: Set(None),
        finished_at: Set(None),
        ..Default::default()
    };
    let finished = which.and(Column::Status.ne(Status::Pending));
    Ok(Entity::update_many().set(row).filter(finished).exec(db).await?.rows_affected)
}

/// Deletes the deliveries of these events to a destination.
pub async fn delete_of(db: &impl ConnectionTrait, destination: Uuid, events: &[Uuid]) -> Result<(), DbErr> {
    for chunk in events.chunks(database::IDS_PER_STATEMENT) {
        let these = Column::DestinationId.eq(destination).and(Column::EventId.is_in(chunk.iter().copied()));
        Entity::delete_many().filter(these).exec(db).await?;
    }
    Ok(())
}
