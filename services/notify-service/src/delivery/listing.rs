//! The lists of deliveries that people see.

use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

use super::entity::{Column, Entity, Model, Status};
use crate::intake::entity as event;

pub(super) struct Filter {
    pub destination: Option<Uuid>,
    pub statuses: Option<Vec<Status>>,
    /// Only those with a lower id.
    pub before: Option<i64>,
}

/// Returns deliveries with their events, newest first.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    filter: &Filter,
    limit: u64,
) -> Result<Vec<(Model, Option<event::Model>)>, DbErr> {
    let mut rows = Entity::find().find_also_related(event::Entity);
    if let Some(destination) = filter.destination {
        rows = rows.filter(Column::DestinationId.eq(destination));
    }
    if let Some(statuses) = &filter.statuses {
        rows = rows.filter(Column::Status.is_in(statuses.iter().copied()));
    }
    if let Some(before) = filter.before {
        rows = rows.filter(Column::Id.lt(before));
    }
    rows.order_by_desc(Column::Id).limit(limit).all(db).await
}

pub(super) async fn by_id(
    db: &impl ConnectionTrait,
    id: i64,
) -> Result<Option<(Model, Option<event::Model>)>, DbErr> {
    Entity::find_by_id(id).find_also_related(event::Entity).one(db).await
}
