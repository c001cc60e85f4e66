//! The drifts of stacks, counted.

use chrono::{DateTime, Utc};
use contracts::drift::{Severity, Status};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait};
use sea_orm::{FromQueryResult, QuerySelect};

use super::entity::{Column, Entity};

/// The drifts of one stack with one status and one severity.
#[derive(Clone, Debug, FromQueryResult)]
pub struct StackGroup {
    pub stack: String,
    pub status: Status,
    pub severity: Severity,
    pub drifts: i64,
    pub first_seen: DateTime<Utc>,
    pub last_resolved: Option<DateTime<Utc>>,
    pub last_approved: Option<DateTime<Utc>>,
}

/// Counts the drifts of these stacks.
///
/// # Errors
/// If the database fails.
pub async fn of_stacks(db: &impl ConnectionTrait, stacks: &[&str]) -> Result<Vec<StackGroup>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Stack, Column::Status, Column::Severity])
        .column_as(Expr::col(Asterisk).count(), "drifts")
        .column_as(Column::FirstSeenAt.min(), "first_seen")
        .column_as(Column::ResolvedAt.max(), "last_resolved")
        .column_as(Column::ApprovedAt.max(), "last_approved")
        .filter(Column::Stack.is_in(stacks.iter().copied()))
        .group_by(Column::Stack)
        .group_by(Column::Status)
        .group_by(Column::Severity)
        .into_model()
        .all(db)
        .await
}

/// Counts the drifts of a stack that need attention: undecided, or rejected and still there.
///
/// # Errors
/// If the database fails.
pub async fn count_open(db: &impl ConnectionTrait, stack: &str) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::Stack.eq(stack))
        .filter(Column::Status.is_in([Status::Detected, Status::Rejected]))
        .count(db)
        .await
}
