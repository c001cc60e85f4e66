//! The position in the log up to which events are handed to the destinations.

use backplane::Position;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

const NAME: &str = "log";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notify_cursors", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub position: String,
    /// The event at the position, by which a log that was rolled back is noticed.
    pub last_event: Option<Uuid>,
    /// The time of the last event that was read.
    pub read_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn new(position: &Position, last_event: Option<Uuid>, read_at: DateTime<Utc>) -> Self {
        Self { name: NAME.into(), position: position.to_string(), last_event, read_at }
    }

    /// `None` if the row was changed by hand.
    pub fn position(&self) -> Option<Position> {
        self.position.parse().ok()
    }
}

pub async fn find(db: &impl ConnectionTrait) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(NAME).one(db).await
}

/// Reads the cursor and locks it until the transaction ends.
pub async fn lock(db: &impl ConnectionTrait) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(NAME).lock_exclusive().one(db).await
}

/// Stores the first cursor, unless another replica was faster.
pub async fn begin(db: &impl ConnectionTrait, cursor: Model) -> Result<(), DbErr> {
    let Model { name, position, last_event, read_at } = cursor;
    let row = ActiveModel {
        name: Set(name),
        position: Set(position),
        last_event: Set(last_event),
        read_at: Set(read_at),
    };
    Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await?;
    Ok(())
}

pub async fn advance(db: &impl ConnectionTrait, cursor: Model) -> Result<(), DbErr> {
    let Model { name, position, last_event, read_at } = cursor;
    let row = ActiveModel {
        position: Set(position),
        last_event: Set(last_event),
        read_at: Set(read_at),
        ..Default::default()
    };
    Entity::update_many().set(row).filter(Column::Name.eq(name)).exec(db).await?;
    Ok(())
}
