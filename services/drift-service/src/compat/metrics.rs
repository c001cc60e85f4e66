use std::collections::{BTreeMap, HashMap};

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{NaiveDate, TimeDelta};
use contracts::drift::{Severity, Status};
use http::openapi::Success;
use http::{ApiError, ValidQuery};
use serde::Serialize;
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use super::paging::DEEPEST;
use super::query::DaysQuery;
use crate::access::Reader;
use crate::alert::entity::AlertFilter;
use crate::error::DriftError;
use crate::metrics::{Group, days, groups};
use crate::money::Money;
use crate::{State, alert};

/// The days of a cost trend without `days`.
const DEFAULT_DAYS: u32 = 30;

#[derive(Serialize, ToSchema)]
pub(super) struct OldSummary {
    drifts: Drifts,
    alerts: Alerts,
    cost: Cost,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Drifts {
    total: i64,
    /// With every status, also `triaged`, which no drift has.
    by_status: BTreeMap<&'static str, i64>,
    by_severity: BTreeMap<&'static str, i64>,
}

#[derive(Serialize, ToSchema)]
struct Alerts {
    /// At most 10,000, even if there are more.
    total: u64,
    /// Number of alerts that the caller has not read; without an account, of alerts that are not closed.
    unread: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Cost {
    /// Sum over the drifts on which no decision was made.
    #[schema(value_type = f64)]
    total_monthly_impact: Money,
    /// Sum over the rejected drifts: the cost that ends when they are reverted.
    #[schema(value_type = f64)]
    projected_savings: Money,
}

/// Returns the counts of drifts and alerts. `days` applies to the drifts.
#[utoipa::path(get, path = "/api/v1/metrics/summary", tag = "metrics", params(DaysQuery),
    responses((status = 200, body = Success<OldSummary>)),
    security((), ("bearer" = [])))]
pub(super) async fn get_summary(
    state: Data<State>,
    reader: Reader,
    ValidQuery(query): ValidQuery<DaysQuery>,
) -> Result<HttpResponse, ApiError> {
    let db = &state.database;
    let groups = counted(&state, &query).await?;
    let reader = alert::reader_mark(db, reader.user_id).await?;
    let unread = alert::entity::count_unread(db, reader.as_ref()).await.map_err(DriftError::from)?;
    let all = AlertFilter::default();
    let total = alert::entity::count_up_to(db, &all, DEEPEST).await.map_err(DriftError::from)?;
    let cost = |status| {
        groups.iter().filter(|group| group.status == status).map(|group| Money { cents: group.cents }).sum()
    };
    Ok(http::ok(OldSummary {
        drifts: Drifts {
            total: groups.iter().map(|group| group.drifts).sum(),
            by_status: statuses(&groups).collect(),
            by_severity: severities(&groups).collect(),
        },
        alerts: Alerts { total, unread },
        cost: Cost {
            total_monthly_impact: cost(Status::Detected),
            projected_savings: cost(Status::Rejected),
        },
    }))
}

/// One point of a cost trend.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CostOfDay {
    /// In UTC.
    date: NaiveDate,
    /// Monthly cost of the drifts that were detected on this day.
    #[schema(value_type = f64)]
    cost: Money,
    drift_count: i64,
}

/// Returns the monthly cost of the drifts of each day, oldest first, 30 days without `days`.
#[utoipa::path(get, path = "/api/v1/metrics/cost-trend", tag = "metrics", params(DaysQuery),
    responses((status = 200, body = Success<Vec<CostOfDay>>)),
    security((), ("bearer" = [])))]
pub(super) async fn get_cost_trend(
    state: Data<State>,
    _reader: Reader,
    ValidQuery(query): ValidQuery<DaysQuery>,
) -> Result<HttpResponse, ApiError> {
    let now = state.platform.clock().now();
    let count = query.days.unwrap_or(DEFAULT_DAYS);
    let found = days(&state.database, &DaysQuery { days: Some(count) }.filter(now)).await;
    let found = found.map_err(DriftError::from)?.into_iter();
    let mut found = found.map(|day| (day.day, (day.cents, day.drifts))).collect::<HashMap<_, _>>();
    let trend = (0..i64::from(count)).rev().map(|ago| {
        let date = (now - TimeDelta::days(ago)).date_naive();
        let (cents, drift_count) = found.remove(&date.to_string()).unwrap_or_default();
        CostOfDay { date, cost: Money { cents }, drift_count }
    });
    Ok(http::ok(trend.collect::<Vec<_>>()))
}

/// The number of drifts of one severity.
#[derive(Serialize, ToSchema)]
pub(super) struct OfSeverity {
    severity: &'static str,
    count: i64,
}

/// Counts the drifts of each severity.
#[utoipa::path(get, path = "/api/v1/metrics/severity-distribution", tag = "metrics", params(DaysQuery),
    responses((status = 200, body = Success<Vec<OfSeverity>>)),
    security((), ("bearer" = [])))]
pub(super) async fn get_severities(
    state: Data<State>,
    _reader: Reader,
    ValidQuery(query): ValidQuery<DaysQuery>,
) -> Result<HttpResponse, ApiError> {
    let groups = counted(&state, &query).await?;
    let counts = severities(&groups).map(|(severity, count)| OfSeverity { severity, count });
    Ok(http::ok(counts.collect::<Vec<_>>()))
}

/// The number of drifts in one status.
#[derive(Serialize, ToSchema)]
pub(super) struct OfStatus {
    status: &'static str,
    count: i64,
}

/// Counts the drifts in each status.
#[utoipa::path(get, path = "/api/v1/metrics/status-distribution", tag = "metrics", params(DaysQuery),
    responses((status = 200, body = Success<Vec<OfStatus>>)),
    security((), ("bearer" = [])))]
pub(super) async fn get_statuses(
    state: Data<State>,
    _reader: Reader,
    ValidQuery(query): ValidQuery<DaysQuery>,
) -> Result<HttpResponse, ApiError> {
    let groups = counted(&state, &query).await?;
    Ok(http::ok(statuses(&groups).map(|(status, count)| OfStatus { status, count }).collect::<Vec<_>>()))
}

async fn counted(state: &State, query: &DaysQuery) -> Result<Vec<Group>, ApiError> {
    let filter = query.filter(state.platform.clock().now());
    Ok(groups(&state.database, &filter).await.map_err(DriftError::from)?)
}

fn statuses(groups: &[Group]) -> impl Iterator<Item = (&'static str, i64)> {
    let known =
        Status::iter().map(|status| (status.into_str(), count(groups, |group| group.status == status)));
    known.chain([("triaged", 0)])
}

fn severities(groups: &[Group]) -> impl Iterator<Item = (&'static str, i64)> {
    let most_severe_first = Severity::iter().rev();
    most_severe_first.map(|severity| (severity.into_str(), count(groups, |group| group.severity == severity)))
}

fn count(groups: &[Group], fits: impl Fn(&Group) -> bool) -> i64 {
    groups.iter().filter(|group| fits(group)).map(|group| group.drifts).sum()
}
