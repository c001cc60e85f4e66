//! Values that this service keeps between starts.

use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drift_settings", rename_all = "camelCase")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub value: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Reads a setting and locks it until the transaction ends.
pub(crate) async fn lock(db: &impl ConnectionTrait, name: &str) -> Result<Option<String>, DbErr> {
    let row = ActiveModel { name: Set(name.into()), value: Set(String::new()) };
    Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await?;
    let row = Entity::find_by_id(name.to_owned()).lock_exclusive().one(db).await?;
    Ok(row.map(|row| row.value).filter(|value| !value.is_empty()))
}

pub(crate) async fn store(db: &impl ConnectionTrait, name: &str, value: &str) -> Result<(), DbErr> {
    let row = ActiveModel { value: Set(value.into()), ..Default::default() };
    Entity::update_many().set(row).filter(Column::Name.eq(name)).exec(db).await?;
    Ok(())
}

/// Locks a setting against [`lock`] until the transaction ends. Other transactions may lock it shared meanwhile.
pub(crate) async fn lock_shared(db: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    Entity::find_by_id(name.to_owned()).lock_shared().one(db).await?;
    Ok(())
}
