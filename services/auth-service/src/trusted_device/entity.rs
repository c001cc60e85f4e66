use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;

use crate::session::device::Device;

/// A browser that needs no second factor of its user. Its cookie is derived from the id.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trusted_devices", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    #[sea_orm(column_type = "Json")]
    pub device_info: Device,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Stores a device of a user until `expires_at`, and returns its id.
pub async fn insert(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    device: Device,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<Uuid, DbErr> {
    let id = Uuid::new_v4();
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(user_id),
        device_info: Set(device),
        created_at: Set(now),
        expires_at: Set(expires_at),
        last_used_at: Set(None),
        revoked_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(id)
}

/// The trusted devices of a user, newest first.
pub async fn of_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    trusted(user_id, now).order_by_desc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await
}

/// Uses one of these devices, if the user trusts it. Returns its id.
pub async fn use_one(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, DbErr> {
    let known = trusted(user_id, now).filter(Column::Id.is_in(ids.iter().copied())).one(db).await?;
    let Some(device) = known else { return Ok(None) };
    let used = ActiveModel { last_used_at: Set(Some(now)), ..Default::default() };
    Entity::update_many().set(used).filter(Column::Id.eq(device.id)).exec(db).await?;
    Ok(Some(device.id))
}

fn trusted(user_id: Uuid, now: DateTime<Utc>) -> Select<Entity> {
    let own = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::RevokedAt.is_null());
    own.filter(Column::ExpiresAt.gt(now))
}

/// Ends the trust in one device of a user. Returns `false` if there is no such device.
pub async fn revoke(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let revoked = ActiveModel { revoked_at: Set(Some(now)), ..Default::default() };
    let own = Column::UserId.eq(user_id).and(Column::Id.eq(id)).and(Column::RevokedAt.is_null());
    Ok(Entity::update_many().set(revoked).filter(own).exec(db).await?.rows_affected == 1)
}

/// Ends the trust in all devices of a user. Returns their number.
pub async fn revoke_all_of(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let revoked = ActiveModel { revoked_at: Set(Some(now)), ..Default::default() };
    let open = Column::UserId.eq(user_id).and(Column::RevokedAt.is_null()).and(Column::ExpiresAt.gt(now));
    Ok(Entity::update_many().set(revoked).filter(open).exec(db).await?.rows_affected)
}

pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}

/// Deletes the devices whose trust ended or expired before `before`.
pub async fn purge(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<(), DbErr> {
    let old = Column::ExpiresAt.lt(before).or(Column::RevokedAt.lt(before));
    Entity::delete_many().filter(old).exec(db).await.map(drop)
}
