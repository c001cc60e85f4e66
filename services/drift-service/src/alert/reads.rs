//! The alerts that a person has read: single ones, and all up to a point in time.

use chrono::{DateTime, Utc};
use database::insert_chunked;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{IntoActiveModel, TryInsertResult};

/// One alert that one person has read.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alert_reads", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub alert_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    pub read_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The time up to which a person has read all alerts.
pub mod mark {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "alert_read_marks", rename_all = "camelCase")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: String,
        pub read_until: DateTime<Utc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Returns the time up to which this person has read all alerts.
pub async fn read_until(db: &impl ConnectionTrait, user_id: &str) -> Result<Option<DateTime<Utc>>, DbErr> {
    Ok(mark::Entity::find_by_id(user_id.to_owned()).one(db).await?.map(|mark| mark.read_until))
}

/// Returns the single alerts among `alerts` that this person has read. Alerts that only the mark covers are
/// left out.
pub async fn of(db: &impl ConnectionTrait, user_id: &str, alerts: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::AlertId.is_in(alerts.iter().copied()))
        .all(db)
        .await
}

/// Records that persons have read alerts.
pub async fn insert(db: &impl ConnectionTrait, reads: Vec<Model>) -> Result<(), DbErr> {
    insert_chunked(db, reads.into_iter().map(|read| read.into_active_model().reset_all()).collect()).await
}

/// Records that a person has read an alert. Returns `false` if that was already recorded.
pub async fn note(
    db: &impl ConnectionTrait,
    alert_id: Uuid,
    user_id: &str,
    at: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = ActiveModel { alert_id: Set(alert_id), user_id: Set(user_id.into()), read_at: Set(at) };
    let inserted = Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// Records that a person has read all alerts up to `at`.
pub async fn note_all(db: &impl ConnectionTrait, user_id: &str, at: DateTime<Utc>) -> Result<(), DbErr> {
    let row = mark::ActiveModel { user_id: Set(user_id.into()), read_until: Set(at) };
    let later = OnConflict::column(mark::Column::UserId).update_column(mark::Column::ReadUntil).to_owned();
    mark::Entity::insert(row).on_conflict(later).exec_without_returning(db).await?;
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await?;
    Ok(())
}
