use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{QueryOrder, QuerySelect};

/// The authenticator app of a user. It counts once a first code has confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp_factors", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Encrypted with the key that belongs to `JWT_REFRESH_SECRET`.
    pub secret: String,
    /// The last step whose code was accepted.
    pub last_step: i64,
    pub created_at: DateTime<Utc>,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The confirmed app of a user.
pub async fn of_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Option<Model>, DbErr> {
    let confirmed = Entity::find_by_id(user_id).filter(Column::ConfirmedAt.is_not_null());
    confirmed.one(db).await
}

/// The app of a user that a first code has to confirm.
pub async fn unconfirmed_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(user_id).filter(Column::ConfirmedAt.is_null()).one(db).await
}

/// Stores an app in place of the user's earlier one.
pub async fn put(db: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let new = OnConflict::column(Column::UserId)
        .update_columns([
            Column::Secret,
            Column::LastStep,
            Column::CreatedAt,
            Column::ConfirmedAt,
            Column::LastUsedAt,
        ])
        .to_owned();
    let row = ActiveModel {
        user_id: Set(row.user_id),
        secret: Set(row.secret),
        last_step: Set(row.last_step),
        created_at: Set(row.created_at),
        confirmed_at: Set(row.confirmed_at),
        last_used_at: Set(row.last_used_at),
    };
    Entity::insert(row).on_conflict(new).exec_without_returning(db).await.map(drop)
}

/// Notes the step of an accepted code.
pub async fn set_used(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    step: i64,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let used = ActiveModel { last_step: Set(step), last_used_at: Set(Some(now)), ..Default::default() };
    Entity::update_many().set(used).filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}

/// Stores another encryption of a secret, unless the user has another app by now.
pub async fn replace_secret(db: &impl ConnectionTrait, row: &Model, secret: String) -> Result<(), DbErr> {
    let sealed = ActiveModel { secret: Set(secret), ..Default::default() };
    let same = Entity::update_many().set(sealed).filter(Column::UserId.eq(row.user_id));
    same.filter(Column::Secret.eq(&row.secret)).exec(db).await.map(drop)
}

/// A batch of apps after the user `after`, by id.
pub async fn batch(db: &impl ConnectionTrait, after: Uuid, limit: u64) -> Result<Vec<Model>, DbErr> {
    let later = Entity::find().filter(Column::UserId.gt(after)).order_by_asc(Column::UserId);
    later.limit(limit).all(db).await
}

/// Deletes the app of a user. Returns whether there was a confirmed one.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool, DbErr> {
    let had_one = of_user(db, user_id).await?.is_some();
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await?;
    Ok(had_one)
}
