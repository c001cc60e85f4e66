use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect};

use crate::link::entity::{Column, Entity, Model, Purpose};

/// The invitations before `before`, newest first.
pub async fn page(db: &impl ConnectionTrait, before: Option<Uuid>, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Purpose.eq(Purpose::Invitation))
        .filter(Condition::all().add_option(before.map(|id| Column::Id.lt(id))))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).filter(Column::Purpose.eq(Purpose::Invitation)).one(db).await
}
