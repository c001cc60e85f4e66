//! Stacks: the time of the last scan, and the lock that a transaction takes to add drifts.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stacks", rename_all = "camelCase")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub stack: String,
    /// Empty if the scan named no account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    pub last_scan_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Locks the stack for all accounts until the transaction ends. No other transaction can then add a drift
/// between the lookup and the insert.
pub(crate) async fn lock(db: &impl ConnectionTrait, stack: &str) -> Result<(), DbErr> {
    insert_if_absent(db, stack, "").await?;
    Entity::find_by_id((stack.to_owned(), String::new())).lock_exclusive().one(db).await?;
    Ok(())
}

/// Returns the time of the last scan of a locked stack in this account.
pub(crate) async fn last_scan(
    db: &impl ConnectionTrait,
    stack: &str,
    account_id: Option<&str>,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    let id = (stack.to_owned(), account_id.unwrap_or_default().to_owned());
    Ok(Entity::find_by_id(id).one(db).await?.and_then(|row| row.last_scan_at))
}

/// Whether a scan of the stack was ingested, in any account.
pub(crate) async fn has_scan(db: &impl ConnectionTrait, stack: &str) -> Result<bool, DbErr> {
    let scanned = Entity::find().filter(Column::Stack.eq(stack)).filter(Column::LastScanAt.is_not_null());
    Ok(scanned.one(db).await?.is_some())
}

pub(crate) async fn record_scan(
    db: &impl ConnectionTrait,
    stack: &str,
    account_id: Option<&str>,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let account_id = account_id.unwrap_or_default();
    insert_if_absent(db, stack, account_id).await?;
    Entity::update_many()
        .set(ActiveModel { last_scan_at: Set(Some(at)), ..Default::default() })
        .filter(Column::Stack.eq(stack))
        .filter(Column::AccountId.eq(account_id))
        .exec(db)
        .await?;
    Ok(())
}

async fn insert_if_absent(db: &impl ConnectionTrait, stack: &str, account_id: &str) -> Result<(), DbErr> {
    let row =
        ActiveModel { stack: Set(stack.into()), account_id: Set(account_id.into()), last_scan_at: Set(None) };
    Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await?;
    Ok(())
}
