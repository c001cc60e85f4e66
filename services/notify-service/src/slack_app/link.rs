//! Links between Slack users and users: a decision in Slack is made with the token of the person.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, IntoActiveModel, QueryOrder};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notify_slack_links", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub destination_id: Uuid,
    /// The id of the Slack user.
    pub slack_user: String,
    /// The name that the Slack user had when the link was made.
    pub slack_name: String,
    pub user_id: String,
    /// The access token of the user, encrypted.
    #[sea_orm(column_type = "Text")]
    pub token: String,
    pub created_at: DateTime<Utc>,
    /// The token expires then.
    pub expires_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Stores a link, in place of an earlier one of the same Slack user.
pub async fn store(db: &impl ConnectionTrait, link: Model) -> Result<(), DbErr> {
    let newest = OnConflict::columns([Column::DestinationId, Column::SlackUser])
        .update_columns([
            Column::Id,
            Column::SlackName,
            Column::UserId,
            Column::Token,
            Column::CreatedAt,
            Column::ExpiresAt,
        ])
        .to_owned();
    let row = link.into_active_model().reset_all();
    Entity::insert(row).on_conflict(newest).exec_without_returning(db).await?;
    Ok(())
}

pub async fn of_slack_user(
    db: &impl ConnectionTrait,
    destination: Uuid,
    slack_user: &str,
) -> Result<Option<Model>, DbErr> {
    let this = Column::DestinationId.eq(destination).and(Column::SlackUser.eq(slack_user));
    Entity::find().filter(this).one(db).await
}

/// Returns a link of this user to a Slack user of the destination.
pub async fn of_user_at(
    db: &impl ConnectionTrait,
    destination: Uuid,
    user_id: &str,
) -> Result<Option<Model>, DbErr> {
    let these = Column::DestinationId.eq(destination).and(Column::UserId.eq(user_id));
    Entity::find().filter(these).order_by_desc(Column::CreatedAt).one(db).await
}

/// Returns the links of a user, oldest first.
pub async fn of_user(db: &impl ConnectionTrait, user_id: &str) -> Result<Vec<Model>, DbErr> {
    let own = Entity::find().filter(Column::UserId.eq(user_id));
    own.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await
}

pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Id).all(db).await
}

/// Stores the token in its new encryption.
pub async fn renew(db: &impl ConnectionTrait, id: Uuid, token: String) -> Result<(), DbErr> {
    let row = ActiveModel { token: Set(token), ..Default::default() };
    Entity::update_many().set(row).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Deletes a link of a user. Returns whether there was one.
pub async fn delete_own(db: &impl ConnectionTrait, id: Uuid, user_id: &str) -> Result<bool, DbErr> {
    let own = Column::Id.eq(id).and(Column::UserId.eq(user_id));
    Ok(Entity::delete_many().filter(own).exec(db).await?.rows_affected > 0)
}

pub async fn erase_user(db: &impl ConnectionTrait, user_id: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await?;
    Ok(())
}

pub async fn delete_expired(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ExpiresAt.lt(now)).exec(db).await?;
    Ok(())
}
