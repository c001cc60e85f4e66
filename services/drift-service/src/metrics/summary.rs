//! The counts of the dashboard.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::drift::{Severity, Status};
use http::openapi::Success;
use http::{ApiError, ValidQuery};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};
use sea_orm::{DbBackend, DbErr, FromQueryResult, QuerySelect};
use serde::Serialize;
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use crate::access::Reader;
use crate::alert::entity::ReaderMark;
use crate::as_of::{AsOf, AsOfParams};
use crate::drift::Filter;
use crate::drift::entity::{Column, Entity};
use crate::drift::filter::filtered_query;
use crate::error::DriftError;
use crate::money::Money;
use crate::{State, alert};

filtered_query! {
    /// The drifts to count. Lists are comma-separated, with at most 50 values.
    pub struct SummaryQuery {}
}

/// Every key is always present. A drift is open until a decision is made, that is in the status `detected`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub total: u64,
    pub open: u64,
    /// Number of open drifts that are snoozed.
    pub snoozed: u64,
    /// Number of drifts in each status.
    pub by_status: BTreeMap<&'static str, u64>,
    /// Number of open drifts of each severity.
    pub by_severity: BTreeMap<&'static str, u64>,
    /// Sum over the open drifts.
    #[schema(value_type = f64)]
    pub cost_impact_monthly: Money,
    /// Whether the cost of an open drift is known.
    pub has_costs: bool,
    /// Number of alerts that the caller has not read; without an account, of alerts that are not closed. The
    /// filters do not apply.
    pub unread_alerts: u64,
    /// Mean hours from the first sighting to the decision, over approved and rejected drifts.
    pub decision_hours: Option<f64>,
    /// First-seen time of the oldest open drift.
    pub oldest_open_at: Option<DateTime<Utc>>,
}

/// The drifts of one status and one severity.
#[derive(FromQueryResult)]
pub(crate) struct Group {
    pub status: Status,
    pub severity: Severity,
    pub drifts: i64,
    pub cents: i64,
    snoozed: i64,
    priced: i64,
    oldest: DateTime<Utc>,
    decided: i64,
    decision_seconds: i64,
}

/// Returns the counts of open, decided and resolved drifts.
#[utoipa::path(get, path = "/api/v1/metrics/summary", tag = "metrics", params(SummaryQuery, AsOfParams),
    responses((status = 200, body = Success<Summary>)),
    security((), ("bearer" = [])))]
pub async fn get_summary(
    state: Data<State>,
    reader: Reader,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<SummaryQuery>,
) -> Result<HttpResponse, ApiError> {
    let filter = query.filter(&reader)?;
    let mark = alert::reader_mark(&state.database, reader.user_id).await?;
    let summary = summarize(&state.database, &filter, mark.as_ref()).await.map_err(DriftError::from)?;
    Ok(as_of.on(http::ok(summary)))
}

async fn summarize(
    db: &impl ConnectionTrait,
    filter: &Filter,
    reader: Option<&ReaderMark>,
) -> Result<Summary, DbErr> {
    let groups = groups(db, filter).await?;
    let unread_alerts = alert::entity::count_unread(db, reader).await?;
    let count = |fits: &dyn Fn(&Group) -> bool| {
        groups.iter().filter(|group| fits(group)).map(|group| group.drifts.unsigned_abs()).sum::<u64>()
    };
    let decided: i64 = groups.iter().map(|group| group.decided).sum();
    let seconds: i64 = groups.iter().map(|group| group.decision_seconds).sum();
    let is_open = |group: &&Group| group.status == Status::Detected;
    let severities = [Severity::Critical, Severity::Warning, Severity::Info];
    Ok(Summary {
        total: count(&|_| true),
        open: count(&|group| is_open(&group)),
        snoozed: groups.iter().filter(is_open).map(|group| group.snoozed.unsigned_abs()).sum(),
        by_status: Status::iter()
            .map(|status| (status.into_str(), count(&|group| group.status == status)))
            .collect(),
        by_severity: severities
            .map(|severity| {
                (severity.into_str(), count(&|group| is_open(&group) && group.severity == severity))
            })
            .into(),
        cost_impact_monthly: groups.iter().filter(is_open).map(|group| Money { cents: group.cents }).sum(),
        has_costs: groups.iter().filter(is_open).any(|group| group.priced > 0),
        unread_alerts,
        decision_hours: (decided > 0).then(|| seconds as f64 / decided as f64 / 3600.0),
        oldest_open_at: groups.iter().filter(is_open).map(|group| group.oldest).min(),
    })
}

/// Counts the drifts of each status and severity.
pub(crate) async fn groups(db: &impl ConnectionTrait, filter: &Filter) -> Result<Vec<Group>, DbErr> {
    Entity::find()
        .filter(filter.condition())
        .select_only()
        .columns([Column::Status, Column::Severity])
        .column_as(Expr::col(Column::Id).count(), "drifts")
        .column_as(total(Column::CostCents), "cents")
        .column_as(Column::SnoozedUntil.count(), "snoozed")
        .column_as(priced(), "priced")
        .column_as(Column::FirstSeenAt.min(), "oldest")
        .column_as(Column::DecisionSeconds.count(), "decided")
        .column_as(total(Column::DecisionSeconds), "decision_seconds")
        .group_by(Column::Status)
        .group_by(Column::Severity)
        .into_model()
        .all(db)
        .await
}

/// The drifts that were detected on one day.
#[derive(FromQueryResult)]
pub(crate) struct Day {
    /// In UTC, as `2026-11-27`.
    pub day: String,
    pub drifts: i64,
    pub cents: i64,
}

/// Counts the drifts of each day that has any.
pub(crate) async fn days(db: &impl ConnectionTrait, filter: &Filter) -> Result<Vec<Day>, DbErr> {
    let day = match db.get_database_backend() {
        // Times are stored as texts in UTC.
        DbBackend::Sqlite => r#"substr("detectedAt", 1, 10)"#,
        _ => r#"to_char("detectedAt" AT TIME ZONE 'UTC', 'YYYY-MM-DD')"#,
    };
    Entity::find()
        .filter(filter.condition())
        .select_only()
        .column_as(Expr::cust(day), "day")
        .column_as(Expr::col(Column::Id).count(), "drifts")
        .column_as(total(Column::CostCents), "cents")
        .group_by(Expr::cust(day))
        .into_model()
        .all(db)
        .await
}

/// Counts the drifts whose cost is known.
fn priced() -> Expr {
    let priced: Expr = CaseStatement::new().case(Column::IsCostKnown.eq(true), 1).into();
    priced.count()
}

/// Sums a column. Postgres returns `numeric` for a sum of integers, and null for a sum without rows.
fn total(column: Column) -> Expr {
    Expr::col(column).sum().cast_as("bigint").if_null(0i64)
}
