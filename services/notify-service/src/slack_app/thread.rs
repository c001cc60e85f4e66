//! The threads of drifts: where the first message about each is.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, IntoActiveModel};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notify_slack_threads", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub destination_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// The id of the channel, which Slack wants in order to edit a message.
    pub channel: String,
    /// Identifies the first message in its channel.
    pub ts: String,
    /// The time of the event that the first message shows.
    pub shown_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub async fn find(
    db: &impl ConnectionTrait,
    destination: Uuid,
    subject: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id((destination, subject.to_owned())).one(db).await
}

/// Stores a thread, in place of an earlier one about the same subject.
pub async fn store(db: &impl ConnectionTrait, thread: Model) -> Result<(), DbErr> {
    let newest = OnConflict::columns([Column::DestinationId, Column::Subject])
        .update_columns([Column::Channel, Column::Ts, Column::ShownAt])
        .to_owned();
    let row = thread.into_active_model().reset_all();
    Entity::insert(row).on_conflict(newest).exec_without_returning(db).await?;
    Ok(())
}

pub async fn note_shown(db: &impl ConnectionTrait, thread: &Model, at: DateTime<Utc>) -> Result<(), DbErr> {
    let this = Column::DestinationId.eq(thread.destination_id).and(Column::Subject.eq(&thread.subject));
    let row = ActiveModel { shown_at: Set(at), ..Default::default() };
    Entity::update_many().set(row).filter(this).exec(db).await?;
    Ok(())
}

/// Deletes the threads of a destination: they are in another channel than the next messages.
pub async fn delete_of(db: &impl ConnectionTrait, destination: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::DestinationId.eq(destination)).exec(db).await?;
    Ok(())
}

/// Deletes the threads whose last event is older.
pub async fn delete_before(db: &impl ConnectionTrait, time: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ShownAt.lt(time)).exec(db).await?;
    Ok(())
}
