//! Deleting stored events: old ones, and those about users who were deleted.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, Query};

use super::entity::{Column, Entity};
use crate::delivery::entity as delivery;

/// Deletes the events about a user that nothing waits to deliver, with their deliveries. The others count as old from now
/// on, so that they are deleted once they are delivered.
pub async fn erase_user(db: &impl ConnectionTrait, user_id: &str) -> Result<(), DbErr> {
    let about = Column::UserId.eq(user_id);
    delete_delivered(db, about.clone()).await?;
    let long_ago = Expr::value(DateTime::<Utc>::UNIX_EPOCH);
    Entity::update_many().col_expr(Column::StoredAt, long_ago).filter(about).exec(db).await?;
    Ok(())
}

/// Deletes old events that nothing waits to deliver, with their deliveries.
pub async fn delete_before(db: &impl ConnectionTrait, time: DateTime<Utc>) -> Result<(), DbErr> {
    delete_delivered(db, Column::StoredAt.lt(time)).await
}

async fn delete_delivered(db: &impl ConnectionTrait, which: sea_orm::sea_query::Expr) -> Result<(), DbErr> {
    let waiting = Query::select()
        .column(delivery::Column::EventId)
        .from(delivery::Entity)
        .and_where(delivery::Column::Status.eq(delivery::Status::Pending))
        .take();
    let which = which.and(Column::Id.not_in_subquery(waiting));
    let ids = Query::select().column(Column::Id).from(Entity).and_where(which.clone()).take();
    delivery::Entity::delete_many().filter(delivery::Column::EventId.in_subquery(ids)).exec(db).await?;
    Entity::delete_many().filter(which).exec(db).await?;
    Ok(())
}
