use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{QueryOrder, QuerySelect};

use crate::user::entity as user;

/// A network that a user has logged in from.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_networks", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// See [`crate::login::networks::own_network`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub network: String,
    pub last_login_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Records a login.
pub async fn record(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    network: String,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = ActiveModel { user_id: Set(user_id), network: Set(network), last_login_at: Set(now) };
    let known =
        OnConflict::columns([Column::UserId, Column::Network]).update_column(Column::LastLoginAt).to_owned();
    Entity::insert(row).on_conflict(known).exec_without_returning(db).await.map(drop)
}

/// Whether the user has logged in from the network since `since`.
pub async fn is_familiar(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    network: &str,
    since: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = Entity::find_by_id((user_id, network.to_owned())).one(db).await?;
    Ok(row.is_some_and(|row| row.last_login_at >= since))
}

/// Whether a user who was created before `created_before` has logged in from the network since `since`.
pub async fn is_known(
    db: &impl ConnectionTrait,
    network: &str,
    since: DateTime<Utc>,
    created_before: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let users = Query::select()
        .column(user::Column::Id)
        .from(user::Entity)
        .and_where(user::Column::CreatedAt.lte(created_before))
        .take();
    let logins = Entity::find().filter(Column::Network.eq(network)).filter(Column::LastLoginAt.gte(since));
    let logins = logins.filter(Column::UserId.in_subquery(users));
    let one: Option<Uuid> = logins.select_only().column(Column::UserId).limit(1).into_tuple().one(db).await?;
    Ok(one.is_some())
}

/// The networks of a user, the most recently used first.
pub async fn newest_of(db: &impl ConnectionTrait, user_id: Uuid, limit: u64) -> Result<Vec<Model>, DbErr> {
    let own = Entity::find().filter(Column::UserId.eq(user_id)).order_by_desc(Column::LastLoginAt);
    own.limit(limit).all(db).await
}

/// Deletes the networks of a user.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}

/// Deletes the networks without a login since `since`.
pub async fn purge(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::LastLoginAt.lt(since)).exec(db).await.map(drop)
}
