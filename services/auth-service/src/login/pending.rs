use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use strum::IntoStaticStr;

use crate::factor::proof::Shown;

/// Time from the first to the second factor.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// Maximum number of second factors that may be tried for one login.
const MAX_TRIES: i64 = 5;

/// A login whose first factor was right and whose second factor is awaited. It is no session and opens none by itself.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pending_logins", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub method: Method,
    /// Whether the user has no second factor yet, and has to add one.
    pub is_enrolment: bool,
    /// [`crate::user::entity::Model::login_epoch`] at the first factor.
    pub login_epoch: i64,
    pub tries: i64,
    /// The secret of the app that the user is adding, encrypted.
    pub totp_secret: Option<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
}

/// The first factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, IntoStaticStr)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Method {
    Password,
    /// A link or a code in a mail.
    Mail,
}

impl Method {
    pub fn shown(self) -> Shown {
        match self {
            Self::Password => Shown::PASSWORD,
            Self::Mail => Shown::MAIL,
        }
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub async fn insert(db: &impl ConnectionTrait, row: &Model) -> Result<(), DbErr> {
    let row: ActiveModel = row.clone().into();
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// A login that can still be completed at `now`.
pub async fn open_by_id(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let open = Entity::find_by_id(id).filter(Column::UsedAt.is_null()).filter(Column::ExpiresAt.gt(now));
    open.one(db).await
}

/// Counts a try. Returns `false` if all tries are used up.
pub async fn count_try(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let counted = Entity::update_many()
        .col_expr(Column::Tries, Column::Tries.into_expr().add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Tries.lt(MAX_TRIES));
    Ok(counted.exec(db).await?.rows_affected == 1)
}

/// Completes a login. Returns `false` if another request did.
pub async fn use_up(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let used = ActiveModel { used_at: Set(Some(now)), totp_secret: Set(None), ..Default::default() };
    let used = Entity::update_many().set(used).filter(Column::Id.eq(id)).filter(Column::UsedAt.is_null());
    Ok(used.exec(db).await?.rows_affected == 1)
}

pub async fn set_totp_secret(db: &impl ConnectionTrait, id: Uuid, secret: String) -> Result<(), DbErr> {
    let sealed = ActiveModel { totp_secret: Set(Some(secret)), ..Default::default() };
    Entity::update_many().set(sealed).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}

/// Deletes the logins that expired before `before`.
pub async fn purge(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ExpiresAt.lt(before)).exec(db).await.map(drop)
}
