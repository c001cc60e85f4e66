//! The stored responses to requests with an `Idempotency-Key`. They are kept for a day, and at most the last
//! 1,000 of each caller.

use actix_web::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect, TryInsertResult};

const KEEP: TimeDelta = TimeDelta::hours(24);
/// Maximum number of responses that are kept for one caller. The oldest are deleted first.
const KEPT_PER_ACTOR: u64 = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "answered_requests", rename_all = "camelCase")]
pub(crate) struct Model {
    /// A digest of actor, route and key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The caller's id; empty in rows of 0.1.0.
    pub actor: String,
    pub request_hash: String,
    pub status: i16,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A request that claims an `Idempotency-Key`.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub id: &'a str,
    pub actor: &'a str,
    pub request_hash: &'a str,
    pub at: DateTime<Utc>,
}

/// Claims the key for this transaction. Returns `false` if a response is already stored for it.
pub(crate) async fn claim(db: &impl ConnectionTrait, claim: Claim<'_>) -> Result<bool, DbErr> {
    let Claim { id, actor, request_hash, at } = claim;
    prune(db, actor).await?;
    Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::CreatedAt.lt(at - KEEP)).exec(db).await?;
    let row = ActiveModel {
        id: Set(id.into()),
        actor: Set(actor.into()),
        request_hash: Set(request_hash.into()),
        status: Set(0),
        body: Set(String::new()),
        created_at: Set(at),
    };
    let inserted = Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// Deletes the responses of a caller beyond the limit, so that a caller that invents keys cannot fill the
/// table.
async fn prune(db: &impl ConnectionTrait, actor: &str) -> Result<(), DbErr> {
    let oldest_kept: Option<DateTime<Utc>> = Entity::find()
        .select_only()
        .column(Column::CreatedAt)
        .filter(Column::Actor.eq(actor))
        .order_by_desc(Column::CreatedAt)
        .offset(KEPT_PER_ACTOR - 1)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    if let Some(at) = oldest_kept {
        Entity::delete_many()
            .filter(Column::Actor.eq(actor))
            .filter(Column::CreatedAt.lte(at))
            .exec(db)
            .await?;
    }
    Ok(())
}

pub(crate) async fn by_id(db: &impl ConnectionTrait, id: &str) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

pub(crate) async fn store(
    db: &impl ConnectionTrait,
    id: &str,
    status: StatusCode,
    body: &str,
) -> Result<(), DbErr> {
    let answer =
        ActiveModel { status: Set(status.as_u16() as i16), body: Set(body.into()), ..Default::default() };
    Entity::update_many().set(answer).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Deletes the responses that are older than a day.
pub(crate) async fn clean(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, DbErr> {
    let old = Entity::delete_many().filter(Column::CreatedAt.lt(now - KEEP)).exec(db).await?;
    Ok(old.rows_affected)
}
