//! The scopes of stacks: the account that scans name, or none. A stack is known as far as each of its scopes is.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

/// Maximum number of scopes that are read of a stack.
const MAX_SCOPES: u64 = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stack_scopes", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub stack: String,
    /// Empty if the scan named no account.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    /// The time at which the scanner ran, of the last scan that was stored.
    pub last_scan_at: Option<DateTime<Utc>>,
    pub last_scan_id: Option<Uuid>,
    /// The time at which the last upload arrived, stored or refused.
    pub last_received_at: Option<DateTime<Utc>>,
    /// The time at which the scanner ran, of the last scan that covered everything.
    pub last_complete_at: Option<DateTime<Utc>>,
    /// The interval between scans, from their history.
    pub learned_seconds: Option<i64>,
    /// The reason why the last upload did not show all drifts.
    #[sea_orm(column_type = "Text", nullable)]
    pub blind_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns the scope of a locked stack, and creates it if needed.
///
/// # Errors
/// If the database fails.
pub async fn find_or_create(
    db: &impl ConnectionTrait,
    stack: &str,
    account_id: &str,
) -> Result<Model, DbErr> {
    if let Some(scope) = Entity::find_by_id((stack.to_owned(), account_id.to_owned())).one(db).await? {
        return Ok(scope);
    }
    let row =
        ActiveModel { stack: Set(stack.into()), account_id: Set(account_id.into()), ..Default::default() };
    row.insert(db).await
}

/// Returns the scopes of a stack that have sent an upload.
///
/// # Errors
/// If the database fails.
pub async fn of_stack(db: &impl ConnectionTrait, stack: &str) -> Result<Vec<Model>, DbErr> {
    of_stacks(db, &[stack]).await
}

/// Returns the scopes of these stacks that have sent an upload.
///
/// # Errors
/// If the database fails.
pub async fn of_stacks(db: &impl ConnectionTrait, stacks: &[&str]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Stack.is_in(stacks.iter().copied()))
        .filter(Column::LastReceivedAt.is_not_null())
        .order_by_asc(Column::AccountId)
        .limit(MAX_SCOPES)
        .all(db)
        .await
}

/// Whether a scan of the stack was stored, in any account.
///
/// # Errors
/// If the database fails.
pub async fn has_scan(db: &impl ConnectionTrait, stack: &str) -> Result<bool, DbErr> {
    let scanned = Entity::find().filter(Column::Stack.eq(stack)).filter(Column::LastScanAt.is_not_null());
    Ok(scanned.one(db).await?.is_some())
}

/// Writes a scope of a locked stack.
///
/// # Errors
/// If the database fails.
pub async fn store(db: &impl ConnectionTrait, scope: Model) -> Result<(), DbErr> {
    let row: ActiveModel = scope.into();
    Entity::update(row.reset_all()).exec(db).await?;
    Ok(())
}

/// Deletes the scopes of a stack.
///
/// # Errors
/// If the database fails.
pub async fn delete_of_stack(db: &impl ConnectionTrait, stack: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Stack.eq(stack)).exec(db).await?;
    Ok(())
}
