//! The settings of a user's pages. Their content belongs to the pages: this service only keeps them.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use serde_json::{Map, Value};

/// Maximum size of the settings of one user.
pub const MAX_BYTES: usize = 16 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_settings", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// A JSON object.
    #[sea_orm(column_type = "Text")]
    pub settings: String,
    pub updated_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns the settings of a user. A user without settings has an empty object.
pub async fn of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Map<String, Value>, DbErr> {
    let row = Entity::find_by_id(user_id).one(db).await?;
    Ok(row.and_then(|row| serde_json::from_str(&row.settings).ok()).unwrap_or_default())
}

/// Replaces the settings of a user.
pub async fn store(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    settings: &Map<String, Value>,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let later =
        OnConflict::column(Column::UserId).update_columns([Column::Settings, Column::UpdatedAt]).to_owned();
    Entity::insert(row(user_id, settings, at)).on_conflict(later).exec_without_returning(db).await?;
    Ok(())
}

/// Deletes the settings of a user.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(user_id).exec(db).await.map(drop)
}

/// Returns the row of a user's settings.
pub fn row(user_id: Uuid, settings: &Map<String, Value>, at: DateTime<Utc>) -> ActiveModel {
    let settings = serde_json::to_string(settings).unwrap_or_else(|_| "{}".into());
    ActiveModel { user_id: Set(user_id), settings: Set(settings), updated_at: Set(at) }
}
