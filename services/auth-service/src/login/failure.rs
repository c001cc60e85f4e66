use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};

/// Wrong passwords for one account at one place, in a window that opened with the first of them.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_failures", rename_all = "camelCase")]
pub struct Model {
    /// Hash of the email address that was typed; see [`crate::login::attempt::Attempt::account`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// See [`crate::login::account_locks::Place`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: String,
    pub failures: i64,
    /// The end of the window, after which its failures no longer count.
    pub ends_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Counts one failure per row, in a new window if the stored one has ended. Returns the counts.
pub async fn count(
    db: &impl ConnectionTrait,
    rows: Vec<ActiveModel>,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    let stored = |column: Column| Expr::col((Entity, column));
    let new = |column: Column| Expr::col(("excluded", column));
    let has_ended = || stored(Column::EndsAt).lte(now);
    let failures = Expr::case(has_ended(), 1).finally(stored(Column::Failures).add(1));
    let ends_at = Expr::case(has_ended(), new(Column::EndsAt)).finally(stored(Column::EndsAt));
    let counted = OnConflict::columns([Column::Account, Column::Place])
        .value(Column::Failures, failures)
        .value(Column::EndsAt, ends_at)
        .to_owned();
    Entity::insert_many(rows).on_conflict(counted).exec_with_returning(db).await
}

/// The windows of an account at these places that have not ended.
pub async fn open_at(
    db: &impl ConnectionTrait,
    account: &str,
    places: Vec<String>,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    let open = Entity::find().filter(Column::Account.eq(account)).filter(Column::EndsAt.gt(now));
    open.filter(Column::Place.is_in(places)).all(db).await
}

/// The windows of these accounts that have not ended.
pub async fn open_of(
    db: &impl ConnectionTrait,
    accounts: Vec<String>,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Account.is_in(accounts)).filter(Column::EndsAt.gt(now)).all(db).await
}

/// Deletes all windows of an account. Returns their number.
pub async fn delete_of(db: &impl ConnectionTrait, account: &str) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::Account.eq(account)).exec(db).await?.rows_affected)
}

/// Deletes the windows that have ended.
pub async fn purge(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::EndsAt.lte(now)).exec(db).await.map(drop)
}
