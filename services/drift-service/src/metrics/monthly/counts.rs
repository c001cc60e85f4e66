//! The drifts that opened and that were resolved in a month.

use contracts::drift::{ResolvedHow, Severity};
use sea_orm::FromQueryResult;
use sea_orm::QuerySelect;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait};

use super::month::Month;
use crate::drift::Filter;
use crate::drift::entity::{Column, Entity};

/// The drifts of a stack that opened in the month with one severity.
#[derive(FromQueryResult)]
pub(super) struct OpenedGroup {
    pub stack: String,
    pub severity: Severity,
    pub drifts: i64,
}

pub(super) async fn opened(
    db: &impl ConnectionTrait,
    month: &Month,
    filter: &Filter,
) -> Result<Vec<OpenedGroup>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Stack, Column::Severity])
        .column_as(Expr::col(Asterisk).count(), "drifts")
        .filter(filter.condition())
        .filter(Column::DetectedAt.gte(month.from))
        .filter(Column::DetectedAt.lt(month.to))
        .group_by(Column::Stack)
        .group_by(Column::Severity)
        .into_model()
        .all(db)
        .await
}

/// The drifts of a stack that were resolved in the month in one way.
#[derive(FromQueryResult)]
pub(super) struct ResolvedGroup {
    pub stack: String,
    pub resolved_how: ResolvedHow,
    pub drifts: i64,
}

pub(super) async fn resolved(
    db: &impl ConnectionTrait,
    month: &Month,
    filter: &Filter,
) -> Result<Vec<ResolvedGroup>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::Stack)
        .column_as(Column::ResolvedHow, "resolved_how")
        .column_as(Expr::col(Asterisk).count(), "drifts")
        .filter(filter.condition())
        .filter(Column::ResolvedAt.gte(month.from))
        .filter(Column::ResolvedAt.lt(month.to))
        .filter(Column::ResolvedHow.is_not_null())
        .group_by(Column::Stack)
        .group_by(Column::ResolvedHow)
        .into_model()
        .all(db)
        .await
}
