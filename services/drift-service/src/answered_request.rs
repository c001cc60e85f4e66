//! The answers that requests with an `Idempotency-Key` got, kept for a day.

use actix_web::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::TryInsertResult;
use sea_orm::entity::prelude::*;

const KEEP: TimeDelta = TimeDelta::hours(24);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "answered_requests", rename_all = "camelCase")]
pub struct Model {
    /// A digest of actor, route and key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub request_hash: String,
    pub status: i16,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Takes the key for this transaction; `false` if it has been answered.
pub async fn claim(
    db: &impl ConnectionTrait,
    id: &str,
    request_hash: &str,
    at: DateTime<Utc>,
) -> Result<bool, DbErr> {
    Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::CreatedAt.lt(at - KEEP)).exec(db).await?;
    let row = ActiveModel {
        id: Set(id.into()),
        request_hash: Set(request_hash.into()),
        status: Set(0),
        body: Set(String::new()),
        created_at: Set(at),
    };
    let inserted = Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

pub async fn by_id(db: &impl ConnectionTrait, id: &str) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

pub async fn store(db: &impl ConnectionTrait, id: &str, status: StatusCode, body: &str) -> Result<(), DbErr> {
    let answer =
        ActiveModel { status: Set(status.as_u16() as i16), body: Set(body.into()), ..Default::default() };
    Entity::update_many().set(answer).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Forgets the keys of yesterday.
pub async fn clean(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let old = Entity::delete_many().filter(Column::CreatedAt.lt(now - KEEP)).exec(db).await?;
    Ok(old.rows_affected)
}
