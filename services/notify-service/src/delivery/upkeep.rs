//! The deliveries whose time is over, and the numbers of those that wait.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{FromQueryResult, JoinType, QuerySelect};

use super::entity::{ActiveModel, Column, Entity, Relation, Status};
use crate::destination::entity as destination;
use crate::destination::target::Kind;

const PAGE: u64 = 1_000;

#[derive(FromQueryResult)]
struct Expired {
    id: i64,
    kind: Kind,
}

/// Gives up deliveries whose time is over, at most 1,000. Returns the kinds of their destinations.
pub async fn expire(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Kind>, DbErr> {
    let over = Column::Status.eq(Status::Pending).and(Column::ExpiresAt.lt(now));
    let rows = Entity::find()
        .filter(over.clone())
        .join(JoinType::InnerJoin, Relation::Destination.def())
        .select_only()
        .column_as(Column::Id, "id")
        .column_as(destination::Column::Kind, "kind")
        .limit(PAGE);
    let rows = rows.into_model::<Expired>().all(db).await?;
    let row = ActiveModel {
        status: Set(Status::Dead),
        failure: Set(Some("expired".into())),
        finished_at: Set(Some(now)),
        ..Default::default()
    };
    let these = over.and(Column::Id.is_in(rows.iter().map(|row| row.id)));
    Entity::update_many().set(row).filter(these).exec(db).await?;
    Ok(rows.into_iter().map(|row| row.kind).collect())
}

/// Returns the number of deliveries that wait, and the time since which the oldest of an enabled destination is due.
pub async fn backlog(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<(u64, Option<DateTime<Utc>>), DbErr> {
    let waiting = Entity::find().filter(Column::Status.eq(Status::Pending));
    let enabled = Query::select()
        .column(destination::Column::Id)
        .from(destination::Entity)
        .and_where(destination::Column::IsEnabled.eq(true))
        .take();
    let due =
        waiting.clone().filter(Column::DueAt.lte(now)).filter(Column::DestinationId.in_subquery(enabled));
    let oldest = due.select_only().column_as(Column::DueAt.min(), "at");
    let oldest = oldest.into_tuple::<Option<DateTime<Utc>>>().one(db).await?.flatten();
    Ok((waiting.count(db).await?, oldest))
}
