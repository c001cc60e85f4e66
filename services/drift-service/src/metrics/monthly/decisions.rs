//! The decisions of a month, from the audit log. A decision that was withdrawn before the month ended does not count.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{
    Alias, CaseStatement, Expr, ExprTrait, Order, OverStatement, Query, SelectStatement, WindowStatement,
};
use sea_orm::{Condition, DbBackend, FromQueryResult};

use super::month::Month;
use super::view::{Decider, TimeToDecide};
use crate::audit::{AuditAction, entity as audit};
use crate::drift::Filter;
use crate::drift::entity::{Column, Entity};

/// Maximum number of people that are listed.
const MAX_PEOPLE: u64 = 100;
const SECONDS_PER_HOUR: f64 = 3_600.0;

#[derive(FromQueryResult)]
struct PersonRow {
    person: String,
    approved: i64,
    decided: i64,
    median: Option<f64>,
}

/// Counts the decisions of each person, most first.
pub(super) async fn by_person(
    db: &impl ConnectionTrait,
    month: &Month,
    filter: &Filter,
) -> Result<Vec<Decider>, DbErr> {
    let backend = db.get_database_backend();
    let of_person = WindowStatement::partition_by("person");
    let select = Query::select()
        .column("person")
        .expr_as(Expr::col("approval").sum().cast_as("bigint"), "approved")
        .expr_as(Expr::col("approval").count(), "decided")
        .expr_as(median(), "median")
        .from_subquery(numbered(decisions(backend, month, filter), of_person), "numbered")
        .group_by_col("person")
        .order_by("decided", Order::Desc)
        .order_by("person", Order::Asc)
        .limit(MAX_PEOPLE)
        .to_owned();
    let rows = PersonRow::find_by_statement(backend.build(&select)).all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| Decider {
            by: row.person,
            approved: row.approved.unsigned_abs(),
            rejected: (row.decided - row.approved).unsigned_abs(),
            median_hours: hours(row.median),
        })
        .collect())
}

#[derive(FromQueryResult)]
struct TimesRow {
    median: Option<f64>,
    ninth: Option<f64>,
    timed: i64,
}

/// Returns how long all decisions took.
pub(super) async fn times(
    db: &impl ConnectionTrait,
    month: &Month,
    filter: &Filter,
) -> Result<TimeToDecide, DbErr> {
    let backend = db.get_database_backend();
    let select = Query::select()
        .expr_as(median(), "median")
        .expr_as(ninth_of_ten(), "ninth")
        .expr_as(Expr::col("seconds").count(), "timed")
        .from_subquery(numbered(decisions(backend, month, filter), WindowStatement::new()), "numbered")
        .to_owned();
    let row = TimesRow::find_by_statement(backend.build(&select)).one(db).await?;
    Ok(row.map_or_else(TimeToDecide::default, |row| TimeToDecide {
        median_hours: hours(row.median),
        p90_hours: hours(row.ninth),
        n: row.timed.unsigned_abs(),
    }))
}

/// The clock of a scanner may be ahead, so that a decision seems to come before the first sighting.
fn hours(seconds: Option<f64>) -> Option<f64> {
    seconds.map(|seconds| (seconds / SECONDS_PER_HOUR).max(0.0))
}

/// Selects `person`, `approval` (0 or 1) and `seconds` of each decision; `seconds` is null if the drift was deleted.
fn decisions(backend: DbBackend, month: &Month, filter: &Filter) -> SelectStatement {
    let withdrawal = || Alias::new("withdrawal");
    let withdrawn = Query::select()
        .expr(Expr::value(1))
        .from_as(audit::Entity, withdrawal())
        .and_where(
            Expr::col((withdrawal(), audit::Column::EntityId))
                .equals((audit::Entity, audit::Column::EntityId)),
        )
        .and_where(Expr::col((withdrawal(), audit::Column::Action)).eq(AuditAction::DriftReopen.into_str()))
        .and_where(Expr::col((withdrawal(), audit::Column::At)).lt(month.to))
        .and_where(
            Expr::tuple([
                Expr::col((withdrawal(), audit::Column::At)),
                Expr::col((withdrawal(), audit::Column::Id)),
            ])
            .gt(Expr::tuple([
                Expr::col((audit::Entity, audit::Column::At)),
                Expr::col((audit::Entity, audit::Column::Id)),
            ])),
        )
        .to_owned();
    let approve = AuditAction::DriftApprove.into_str();
    let approval = CaseStatement::new().case(audit::Column::Action.eq(approve), 1).finally(0);
    Query::select()
        .expr_as(Expr::col((audit::Entity, audit::Column::Actor)), "person")
        .expr_as(approval, "approval")
        .expr_as(Expr::cust(seconds(backend)), "seconds")
        .from(audit::Entity)
        .left_join(Entity, Expr::col((Entity, Column::Id)).equals((audit::Entity, audit::Column::EntityId)))
        .cond_where(
            Condition::all()
                .add(audit::Column::At.gte(month.from))
                .add(audit::Column::At.lt(month.to))
                .add(audit::Column::Action.is_in([approve, AuditAction::DriftReject.into_str()]))
                .add(Expr::exists(withdrawn).not())
                .add(filter.condition()),
        )
        .to_owned()
}

/// Whole seconds from the first sighting to the decision.
const fn seconds(backend: DbBackend) -> &'static str {
    match backend {
        // Times are stored as texts.
        DbBackend::Sqlite => {
            r#"CAST(ROUND((julianday("drift_audit"."at") - julianday("drifts"."firstSeenAt")) * 86400) AS bigint)"#
        }
        _ => r#"CAST(EXTRACT(EPOCH FROM "drift_audit"."at" - "drifts"."firstSeenAt") AS bigint)"#,
    }
}

/// Adds the `place` of each decision by its seconds, and the `total`, in each part of a window. Decisions without
/// seconds are parts of their own.
fn numbered(decisions: SelectStatement, mut window: WindowStatement) -> SelectStatement {
    let part = window.add_partition_by(Expr::col("seconds").is_null()).take();
    let sorted = part.clone().order_by("seconds", Order::Asc).take();
    Query::select()
        .columns(["person", "approval", "seconds"])
        .expr_window_as(Expr::cust("ROW_NUMBER()"), sorted, "place")
        .expr_window_as(Expr::cust("COUNT(*)"), part, "total")
        .from_subquery(decisions, "decisions")
        .to_owned()
}

/// The mean of the one or two decisions in the middle.
fn median() -> Expr {
    let twice = || Expr::col("place").mul(2);
    let is_middle = twice().gte(Expr::col("total")).and(twice().lte(Expr::col("total").add(2)));
    let middle: Expr = CaseStatement::new().case(is_middle, Expr::col("seconds")).into();
    middle.avg().cast_as("double precision")
}

/// The first decision that took as long as nine of ten, or longer.
fn ninth_of_ten() -> Expr {
    let nine = || Expr::col("total").mul(9);
    let reaches = Expr::col("place").mul(10).gte(nine());
    let is_first = Expr::col("place").sub(1).mul(10).lt(nine());
    let ninth: Expr = CaseStatement::new().case(reaches.and(is_first), Expr::col("seconds")).into();
    ninth.max().cast_as("double precision")
}
