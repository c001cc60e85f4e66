//! The drifts that match a condition.

use contracts::drift::Status;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, Order, QueryOrder, QuerySelect};

use super::entity::{Column, Entity, Model};
use crate::page;

/// Returns the drifts after the first `offset` ones. Ties are broken by id.
pub async fn numbered_page(
    db: &impl ConnectionTrait,
    condition: Condition,
    (column, order): (Column, Order),
    offset: u64,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let sorted = Entity::find().filter(condition).order_by(column, order.clone()).order_by(Column::Id, order);
    sorted.offset(offset).limit(limit).all(db).await
}

/// Counts the drifts, at most up to `most`.
pub async fn count_up_to(db: &impl ConnectionTrait, condition: Condition, most: u64) -> Result<u64, DbErr> {
    page::count_up_to(db, Entity::find().filter(condition), Column::Id, most).await
}

/// Returns a matching drift of a cause with this address.
pub async fn of_cause(
    db: &impl ConnectionTrait,
    condition: Condition,
    resource_type: &str,
    actual_hash: &str,
    address: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(condition)
        .filter(Column::ActualHash.eq(actual_hash))
        .filter(Column::ResourceType.eq(resource_type))
        .filter(Column::Address.eq(address))
        .order_by_desc(Column::Id)
        .one(db)
        .await
}

/// Counts the matching drifts of each status.
pub async fn count_by_status(
    db: &impl ConnectionTrait,
    condition: Condition,
) -> Result<Vec<(Status, u64)>, DbErr> {
    let counts: Vec<(Status, i64)> = Entity::find()
        .select_only()
        .column(Column::Status)
        .column_as(Expr::col(Column::Id).count(), "count")
        .filter(condition)
        .group_by(Column::Status)
        .into_tuple()
        .all(db)
        .await?;
    Ok(counts.into_iter().map(|(status, count)| (status, count.unsigned_abs())).collect())
}

/// Reads the matching drifts with one of these statuses and locks them until the transaction ends, in the order of ids,
/// so that two transactions cannot wait for each other.
pub async fn lock_matching(
    db: &impl ConnectionTrait,
    condition: Condition,
    statuses: &[Status],
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(condition)
        .filter(Column::Status.is_in(statuses.iter().copied()))
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_exclusive()
        .all(db)
        .await
}
