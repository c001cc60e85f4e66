//! The table of comments and its queries.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, IntoActiveModel, QueryOrder, QuerySelect};

/// Maximum number of comments on a drift.
pub const MOST: u64 = 500;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drift_comments", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub drift_id: Uuid,
    /// The id of the author.
    pub by: String,
    pub at: DateTime<Utc>,
    /// Redacted.
    #[sea_orm(column_type = "Text")]
    pub text: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns the comments on a drift that follow `after`, newest first.
pub async fn page(
    db: &impl ConnectionTrait,
    drift_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let place = || Expr::tuple([Expr::col(Column::At), Expr::col(Column::Id)]);
    let older = |(at, id): (DateTime<Utc>, Uuid)| place().lt(Expr::tuple([Expr::value(at), Expr::value(id)]));
    Entity::find()
        .filter(Column::DriftId.eq(drift_id))
        .filter(Condition::all().add_option(after.map(older)))
        .order_by_desc(Column::At)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Returns a comment on this drift.
pub async fn by_id(db: &impl ConnectionTrait, drift_id: Uuid, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).filter(Column::DriftId.eq(drift_id)).one(db).await
}

pub async fn count(db: &impl ConnectionTrait, drift_id: Uuid) -> Result<u64, DbErr> {
    Entity::find().filter(Column::DriftId.eq(drift_id)).count(db).await
}

pub async fn insert(db: &impl ConnectionTrait, comment: Model) -> Result<(), DbErr> {
    Entity::insert(comment.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// Deletes a comment. Returns `false` if it was already deleted.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    Ok(Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}
