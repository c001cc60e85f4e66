//! The drifts that were live at the end of a month, with the status that they had then. The audit log knows it: a
//! drift that was decided or reopened later has another status by now.

use chrono::{DateTime, Utc};
use contracts::drift::{Severity, Status};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Asterisk, Expr, ExprTrait, Order, Query};
use sea_orm::{Condition, FromQueryResult, QuerySelect, QueryTrait};

use super::view::Accepted;
use crate::audit::entity as audit;
use crate::drift::Filter;
use crate::drift::entity::{Column, Entity};

/// The drifts of a stack with one severity and one status.
#[derive(FromQueryResult)]
pub(super) struct LiveGroup {
    pub stack: String,
    pub severity: Severity,
    pub status: Status,
    pub drifts: i64,
}

/// Counts the drifts that were live at `end`.
pub(super) async fn count(
    db: &impl ConnectionTrait,
    end: DateTime<Utc>,
    filter: &Filter,
) -> Result<Vec<LiveGroup>, DbErr> {
    live(end, filter)
        .columns([Column::Stack, Column::Severity])
        .column_as(audit::Column::ToStatus, "status")
        .column_as(Expr::col(Asterisk).count(), "drifts")
        .group_by(Column::Stack)
        .group_by(Column::Severity)
        .group_by(audit::Column::ToStatus)
        .into_model()
        .all(db)
        .await
}

#[derive(FromQueryResult)]
struct Approval {
    id: Uuid,
    address: String,
    stack: String,
    severity: Severity,
    approved_by: Option<String>,
    approved_at: Option<DateTime<Utc>>,
    approved_reason: Option<String>,
    approved_until: Option<DateTime<Utc>>,
    actor: String,
    at: DateTime<Utc>,
    reason: Option<String>,
}

/// Returns the approvals in force at `end`, the newest first, at most `limit`.
pub(super) async fn accepted(
    db: &impl ConnectionTrait,
    end: DateTime<Utc>,
    filter: &Filter,
    limit: u64,
) -> Result<Vec<Accepted>, DbErr> {
    let mut select = live(end, filter)
        .columns([Column::Id, Column::Address, Column::Stack, Column::Severity])
        .column_as(Column::ApprovedBy, "approved_by")
        .column_as(Column::ApprovedAt, "approved_at")
        .column_as(Column::ApprovedReason, "approved_reason")
        .column_as(Column::ApprovedUntil, "approved_until")
        .columns([audit::Column::Actor, audit::Column::At, audit::Column::Reason])
        .filter(audit::Column::ToStatus.eq(Status::Approved.into_str()))
        .limit(limit);
    for column in [audit::Column::At, audit::Column::Id] {
        QueryTrait::query(&mut select).order_by((audit::Entity, column), Order::Desc);
    }
    let approvals: Vec<Approval> = select.into_model().all(db).await?;
    Ok(approvals.into_iter().map(|approval| approval.into_accepted(end)).collect())
}

impl Approval {
    /// The columns of the drift describe this approval, unless it was withdrawn after `end`.
    fn into_accepted(self, end: DateTime<Utc>) -> Accepted {
        let (approved_by, approved_at, approved_reason, until) = match self.approved_at {
            Some(at) if at < end => (self.approved_by, at, self.approved_reason, self.approved_until),
            // Its end is not in the audit log.
            _ => (Some(self.actor), self.at, self.reason, None),
        };
        Accepted {
            id: self.id,
            address: self.address,
            stack: self.stack,
            severity: self.severity,
            approved_by,
            approved_at,
            approved_reason,
            until,
        }
    }
}

/// Selects the drifts that were live at `end`, each joined with the last audit row before `end` that has its status.
fn live(end: DateTime<Utc>, filter: &Filter) -> Select<Entity> {
    let mut select = Entity::find()
        .select_only()
        .filter(filter.condition())
        .filter(Column::CreatedAt.lt(end))
        .filter(Condition::any().add(Column::ResolvedAt.is_null()).add(Column::ResolvedAt.gte(end)));
    let later = || Alias::new("later");
    let place = |id: Expr, at: Expr| Expr::tuple([at, id]);
    let one_later = Query::select()
        .expr(Expr::value(1))
        .from_as(audit::Entity, later())
        .and_where(Expr::col((later(), audit::Column::EntityId)).equals((Entity, Column::Id)))
        .and_where(Expr::col((later(), audit::Column::ToStatus)).is_not_null())
        .and_where(Expr::col((later(), audit::Column::At)).lt(end))
        .and_where(
            place(Expr::col((later(), audit::Column::Id)), Expr::col((later(), audit::Column::At))).gt(
                place(
                    Expr::col((audit::Entity, audit::Column::Id)),
                    Expr::col((audit::Entity, audit::Column::At)),
                ),
            ),
        )
        .to_owned();
    let last_status = Condition::all()
        .add(Expr::col((audit::Entity, audit::Column::EntityId)).equals((Entity, Column::Id)))
        .add(audit::Column::ToStatus.is_not_null())
        .add(audit::Column::At.lt(end))
        .add(Expr::exists(one_later).not());
    QueryTrait::query(&mut select).inner_join(audit::Entity, last_status);
    select
}
