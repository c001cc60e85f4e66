use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::QueryOrder;
use sea_orm::entity::prelude::*;

/// A key that signs access tokens, or did.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys", rename_all = "camelCase")]
pub struct Model {
    /// The thumbprint, as tokens name the key (`kid`).
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// 1 for the first key, one more for each further one. Unique, so that of two replicas that replace a key at
    /// once only one succeeds.
    pub number: i64,
    /// The `x` of the JWK.
    pub public_key: String,
    /// PKCS#8, encrypted: see [`crate::signing_key::seal`]. `None` when the key signs no more.
    pub private_key: Option<String>,
    pub created_at: DateTime<Utc>,
    /// The time from which every connected service knows the key. `None` until the announcement has succeeded.
    pub announced_at: Option<DateTime<Utc>>,
    /// Set when the key must not verify any more, because it leaked.
    pub withdrawn_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All keys, oldest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Number).all(db).await
}

/// Stores the time of the announcement of keys that have none yet.
pub async fn set_announced(
    db: &impl ConnectionTrait,
    ids: Vec<String>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let change = ActiveModel { announced_at: Set(Some(now)), ..Default::default() };
    let update = Entity::update_many().set(change).filter(Column::Id.is_in(ids));
    update.filter(Column::AnnouncedAt.is_null()).exec(db).await.map(drop)
}

/// Stores the private key, encrypted with another secret or erased.
pub async fn set_private_key(
    db: &impl ConnectionTrait,
    id: &str,
    private_key: Option<String>,
) -> Result<(), DbErr> {
    let change = ActiveModel { private_key: Set(private_key), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// Withdraws every key and erases the private ones.
pub async fn withdraw_all(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    let change = ActiveModel { withdrawn_at: Set(Some(now)), private_key: Set(None), ..Default::default() };
    let update = Entity::update_many().set(change).filter(Column::WithdrawnAt.is_null());
    update.exec(db).await.map(drop)
}

pub async fn delete(db: &impl ConnectionTrait, id: &str) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await.map(drop)
}
