//! The table of scans.

use chrono::{DateTime, Utc};
use contracts::scan::{Completeness, Format, Tool};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{Condition, IntoActiveModel, QueryOrder, QuerySelect};

use crate::stack::scope;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scans", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub stack: String,
    /// Empty if the scan named no account.
    pub account_id: String,
    pub received_at: DateTime<Utc>,
    /// The time at which the scanner ran; `None` if the upload was refused.
    pub taken_at: Option<DateTime<Utc>>,
    pub tool: Tool,
    pub tool_version: Option<String>,
    pub format: Format,
    pub completeness: Completeness,
    /// The reason why the scan does not show all drifts. Redacted.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    pub created: i32,
    pub changed: i32,
    pub unchanged: i32,
    pub resolved: i32,
    pub ignored: i32,
    pub skipped: i32,
    /// A JSON list of the first warnings. Redacted.
    #[sea_orm(column_type = "Text")]
    pub warnings: String,
    /// The id of the user or the service token that sent it.
    pub sent_by: Option<String>,
    /// The page of the CI run.
    #[sea_orm(column_type = "Text", nullable)]
    pub run_url: Option<String>,
    pub commit: Option<String>,
    /// The time that reading and storing took.
    pub duration_millis: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The filters of a list.
#[derive(Clone, Debug, Default)]
pub struct ScanFilter {
    pub stack: Option<String>,
    pub completeness: Option<Vec<Completeness>>,
    pub received_from: Option<DateTime<Utc>>,
    pub received_to: Option<DateTime<Utc>>,
}

/// Stores a scan.
///
/// # Errors
/// If the database fails.
pub async fn insert(db: &impl ConnectionTrait, scan: Model) -> Result<(), DbErr> {
    Entity::insert(scan.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

/// Returns the scan with this id.
///
/// # Errors
/// If the database fails.
pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Returns the scans with these ids.
///
/// # Errors
/// If the database fails.
pub async fn by_ids(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await
}

/// Returns the times at which the last uploads of a scope arrived, newest first.
///
/// # Errors
/// If the database fails.
pub async fn arrivals(
    db: &impl ConnectionTrait,
    stack: &str,
    account_id: &str,
    limit: u64,
) -> Result<Vec<DateTime<Utc>>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::ReceivedAt)
        .filter(Column::Stack.eq(stack))
        .filter(Column::AccountId.eq(account_id))
        .order_by_desc(Column::ReceivedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Returns the scans that follow `after`, newest first.
///
/// # Errors
/// If the database fails.
pub async fn page(
    db: &impl ConnectionTrait,
    filter: &ScanFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let place = || Expr::tuple([Expr::col(Column::ReceivedAt), Expr::col(Column::Id)]);
    let older = |(at, id): (DateTime<Utc>, Uuid)| place().lt(Expr::tuple([Expr::value(at), Expr::value(id)]));
    let wanted = Condition::all()
        .add_option(filter.stack.as_ref().map(|stack| Column::Stack.eq(stack)))
        .add_option(filter.completeness.as_ref().map(|wanted| Column::Completeness.is_in(wanted.clone())))
        .add_option(filter.received_from.map(|from| Column::ReceivedAt.gte(from)))
        .add_option(filter.received_to.map(|to| Column::ReceivedAt.lt(to)))
        .add_option(after.map(older));
    Entity::find()
        .filter(wanted)
        .order_by_desc(Column::ReceivedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Deletes the scans of a stack.
///
/// # Errors
/// If the database fails.
pub async fn delete_of_stack(db: &impl ConnectionTrait, stack: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Stack.eq(stack)).exec(db).await?;
    Ok(())
}

/// Deletes scans that arrived before `before`, except the last one of each scope.
///
/// # Errors
/// If the database fails.
pub async fn delete_before(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let last = Query::select()
        .column(scope::Column::LastScanId)
        .from(scope::Entity)
        .and_where(Expr::col(scope::Column::LastScanId).is_not_null())
        .to_owned();
    let deleted = Entity::delete_many()
        .filter(Column::ReceivedAt.lt(before))
        .filter(Column::Id.not_in_subquery(last))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}
