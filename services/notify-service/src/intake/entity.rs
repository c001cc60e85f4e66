use chrono::{DateTime, Utc};
use contracts::AccountId;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};

use crate::event::Event;

/// An event that at least one destination wants.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notify_events", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_name = "type")]
    pub event_type: String,
    pub at: DateTime<Utc>,
    pub account_id: Option<AccountId>,
    pub user_id: Option<String>,
    /// Deliveries of the same subject keep their order.
    pub subject: String,
    /// Two events of a subject in a row with the same state say nothing new.
    pub state: String,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub payload: String,
    pub stored_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Event {
    fn from(row: Model) -> Self {
        let Model { id, event_type, at, account_id, user_id, payload, .. } = row;
        // It was JSON when it was stored.
        let payload = serde_json::from_str(&payload).unwrap_or_default();
        Self { id, event_type, at, account_id, user_id, payload }
    }
}

/// Stores events; those that are already stored stay as they are.
pub async fn insert(db: &impl ConnectionTrait, events: Vec<Model>) -> Result<(), DbErr> {
    for chunk in events.chunks(500) {
        let rows = chunk.iter().cloned().map(|row| row.into_active_model().reset_all());
        Entity::insert_many(rows).on_conflict_do_nothing().exec_without_returning(db).await?;
    }
    Ok(())
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

pub async fn by_ids(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await
}

/// Whether only admins may see the event.
pub fn is_about_users(event: &Model) -> bool {
    event.event_type.starts_with("auth:")
}

/// Returns the newest events, without those about users.
pub async fn newest(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Model>, DbErr> {
    let of_all = Entity::find().filter(Column::EventType.not_like("auth:%"));
    of_all.order_by_desc(Column::StoredAt).order_by_desc(Column::Id).limit(limit).all(db).await
}
