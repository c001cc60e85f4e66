//! The versions of the rules of the console. The newest one is in force.

use chrono::{DateTime, Utc};
use contracts::drift::Severity;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};

/// Number of versions that are kept.
const KEPT: i32 = 200;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rule_versions", rename_all = "camelCase")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// All rules of the version, as a JSON array of [`WrittenRule`](super::written::WrittenRule)s.
    #[sea_orm(column_type = "Text")]
    pub rules: String,
    /// `None` leaves it to the file.
    pub alert_threshold: Option<Severity>,
    /// The id of the user who saved the version.
    pub by: String,
    pub at: DateTime<Utc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    /// The version that this one restores.
    pub restored_from: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn newest(db: &impl ConnectionTrait) -> Result<Option<Model>, DbErr> {
    Entity::find().order_by_desc(Column::Version).limit(1).one(db).await
}

/// Returns the number of the newest version; 0 if there is none.
pub(super) async fn newest_number(db: &impl ConnectionTrait) -> Result<i32, DbErr> {
    let newest = Entity::find().select_only().column(Column::Version).order_by_desc(Column::Version).limit(1);
    Ok(newest.into_tuple().one(db).await?.unwrap_or_default())
}

pub(super) async fn by_number(db: &impl ConnectionTrait, version: i32) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(version).one(db).await
}

/// Returns the versions before `before`, newest first.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    before: Option<i32>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut versions = Entity::find().order_by_desc(Column::Version).limit(limit);
    if let Some(before) = before {
        versions = versions.filter(Column::Version.lt(before));
    }
    versions.all(db).await
}

/// Stores the next version, and deletes the oldest ones.
pub(super) async fn insert(db: &impl ConnectionTrait, version: Model) -> Result<(), DbErr> {
    let oldest_kept = version.version - KEPT + 1;
    Entity::insert(version.into_active_model().reset_all()).exec_without_returning(db).await?;
    Entity::delete_many().filter(Column::Version.lt(oldest_kept)).exec(db).await?;
    Ok(())
}
