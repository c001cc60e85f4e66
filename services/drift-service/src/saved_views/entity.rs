use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{QueryOrder, QuerySelect};

/// Maximum number of shared views of others that a list has.
const MAX_LISTED: u64 = 500;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drift_views", rename_all = "camelCase")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub owner_id: String,
    pub name: String,
    /// The query string of the console's list.
    #[sea_orm(column_type = "Text")]
    pub query: String,
    pub is_shared: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns the views that a person sees: all of their own, then the shared ones of others, each in the order of names.
pub(super) async fn seen_by(db: &impl ConnectionTrait, user_id: &str) -> Result<Vec<Model>, DbErr> {
    let sorted = || Entity::find().order_by_asc(Column::Name).order_by_asc(Column::Id);
    let mut views = sorted().filter(Column::OwnerId.eq(user_id)).all(db).await?;
    let of_others = Column::OwnerId.ne(user_id).and(Column::IsShared.eq(true));
    views.extend(sorted().filter(of_others).limit(MAX_LISTED).all(db).await?);
    Ok(views)
}

pub(super) async fn count_of(db: &impl ConnectionTrait, user_id: &str) -> Result<u64, DbErr> {
    Entity::find().filter(Column::OwnerId.eq(user_id)).count(db).await
}

/// Reads a view and locks it until the transaction ends.
pub(super) async fn lock(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(db).await
}

pub(super) async fn insert(db: &impl ConnectionTrait, view: ActiveModel) -> Result<(), DbErr> {
    Entity::insert(view).exec_without_returning(db).await?;
    Ok(())
}

pub(super) async fn update(db: &impl ConnectionTrait, id: Uuid, change: ActiveModel) -> Result<(), DbErr> {
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

pub(super) async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}
