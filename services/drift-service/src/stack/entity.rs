//! The table of stacks, and the lock that a transaction takes to add drifts.

use chrono::{DateTime, Utc};
use contracts::drift::Status;
use contracts::scan::StackStatus;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Query};
use sea_orm::{Condition, QuerySelect};

use crate::drift;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stacks", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    /// The person or team that answers for the stack.
    pub owner: Option<String>,
    /// A JSON object of texts.
    #[sea_orm(column_type = "Text")]
    pub labels: String,
    /// The interval between scans that a person has set.
    pub cadence_seconds: Option<i64>,
    /// The reason why some drifts may be unknown, of any of its scopes.
    #[sea_orm(column_type = "Text", nullable)]
    pub blind_reason: Option<String>,
    /// The time by which the next scan has to arrive; `None` while no cadence is known.
    pub due_at: Option<DateTime<Utc>>,
    /// The time at which the overdue scan was reported.
    pub silent_since: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The reason for [`Model::blind_reason`] before the first scan.
pub const NO_SCAN: &str = "no scan has arrived yet";

/// Locks the stack until the transaction ends, and creates it if needed. No other transaction can then add a drift
/// between the lookup and the insert.
///
/// # Errors
/// If the database fails.
pub async fn lock(db: &impl ConnectionTrait, name: &str) -> Result<Model, DbErr> {
    let row = ActiveModel {
        id: Set(Uuid::now_v7()),
        name: Set(name.into()),
        labels: Set("{}".into()),
        blind_reason: Set(Some(NO_SCAN.into())),
        ..Default::default()
    };
    Entity::insert(row).on_conflict_do_nothing_on([Column::Name]).exec_without_returning(db).await?;
    let locked = lock_existing(db, name).await?;
    locked.ok_or_else(|| DbErr::RecordNotFound("the stack was deleted".into()))
}

/// Locks a stack until the transaction ends, if it exists.
///
/// # Errors
/// If the database fails.
pub async fn lock_existing(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Name.eq(name)).lock_exclusive().one(db).await
}

/// Returns the stack of that name.
///
/// # Errors
/// If the database fails.
pub async fn by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Name.eq(name)).one(db).await
}

/// Returns the names of stacks whose scans are overdue and not reported.
///
/// # Errors
/// If the database fails.
pub async fn overdue(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<String>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Name)
        .filter(Column::DueAt.lt(now))
        .filter(Column::SilentSince.is_null())
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// The condition that drifts of the stack need attention: they are undecided, or rejected and still there.
fn is_drifted() -> Expr {
    use drift::entity::{Column as Drift, Entity as Drifts};
    let open = Query::select()
        .expr(Expr::value(1))
        .from(Drifts)
        .and_where(Expr::col((Drifts, Drift::Stack)).equals((Entity, Column::Name)))
        .and_where(Expr::col((Drifts, Drift::Status)).is_in([Status::Detected, Status::Rejected]))
        .to_owned();
    Expr::exists(open)
}

/// A number for the status of a stack, worst first.
pub fn rank() -> Expr {
    CaseStatement::new()
        .case(Expr::col((Entity, Column::SilentSince)).is_not_null(), 0)
        .case(Expr::col((Entity, Column::BlindReason)).is_not_null(), 1)
        .case(is_drifted(), 2)
        .finally(3)
        .into()
}

/// The condition that a stack has one of these statuses.
pub fn has_status(statuses: &[StackStatus]) -> Condition {
    let ranks = statuses.iter().map(|status| rank_of(*status));
    Condition::all().add(rank().is_in(ranks))
}

/// The number that [`rank`] returns for a status.
pub const fn rank_of(status: StackStatus) -> i32 {
    match status {
        StackStatus::Silent => 0,
        StackStatus::Blind => 1,
        StackStatus::Drifted => 2,
        StackStatus::Clean => 3,
    }
}

impl Model {
    /// Returns the status. `open` is the number of drifts that need attention.
    pub const fn status(&self, open: u64) -> StackStatus {
        if self.silent_since.is_some() {
            StackStatus::Silent
        } else if self.blind_reason.is_some() {
            StackStatus::Blind
        } else if open > 0 {
            StackStatus::Drifted
        } else {
            StackStatus::Clean
        }
    }
}

/// Writes the changes of a locked stack.
///
/// # Errors
/// If the database fails.
pub async fn update(db: &impl ConnectionTrait, id: Uuid, change: ActiveModel) -> Result<(), DbErr> {
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Deletes a stack.
///
/// # Errors
/// If the database fails.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}
