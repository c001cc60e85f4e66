//! How many drifts were opened, decided and resolved on each day.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use contracts::drift::Severity;
use http::openapi::Success;
use http::{ApiError, ValidQuery};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait};
use sea_orm::{DbBackend, IdenStatic, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;

use crate::State;
use crate::access::Reader;
use crate::as_of::{AsOf, AsOfParams};
use crate::drift::Filter;
use crate::drift::entity::{Column, Entity};
use crate::drift::filter::filtered_query;
use crate::error::DriftError;

const DEFAULT_DAYS: u32 = 14;

filtered_query! {
    /// The drifts to count, and the days. Lists are comma-separated, with at most 50 values.
    pub struct TrendQuery {
        /// The number of days, the last of which is today
        #[validate(range(min = 1, max = 366))]
        #[serde(default = "default_days")]
        #[param(value_type = Option<u32>, default = 14, minimum = 1, maximum = 366)]
        days: u32,
        /// What the reader's clock is ahead of UTC, in minutes: a day begins at midnight there
        #[validate(range(min = -840, max = 840))]
        #[serde(default)]
        #[param(value_type = Option<i32>, default = 0, minimum = -840, maximum = 840)]
        offset_minutes: i32,
    }
}

const fn default_days() -> u32 {
    DEFAULT_DAYS
}

/// Number of drifts of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BySeverity {
    pub critical: i64,
    pub warning: i64,
    pub info: i64,
}

impl BySeverity {
    /// Adds drifts of one severity.
    pub fn add(&mut self, severity: Severity, drifts: i64) {
        *match severity {
            Severity::Critical => &mut self.critical,
            Severity::Warning => &mut self.warning,
            Severity::Info => &mut self.info,
        } += drifts;
    }
}

/// One number of drifts for each day, the oldest day first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trend {
    days: Vec<TrendDay>,
}

/// The drifts of one day. A drift is counted on the day of its last decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrendDay {
    day: NaiveDate,
    /// Drifts that were detected.
    opened: BySeverity,
    decided: i64,
    resolved: i64,
}

/// Counts the drifts that were opened, decided and resolved on each of the last days.
#[utoipa::path(get, path = "/api/v1/metrics/trend", tag = "metrics", params(TrendQuery, AsOfParams),
    responses((status = 200, body = Success<Trend>)),
    security((), ("bearer" = [])))]
pub async fn get_trend(
    state: Data<State>,
    reader: Reader,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<TrendQuery>,
) -> Result<HttpResponse, ApiError> {
    let filter = query.filter(&reader)?;
    let offset = TimeDelta::minutes(query.offset_minutes.into());
    let today = (state.platform.clock().now() + offset).date_naive();
    let first = today - Days::new((query.days - 1).into());
    let days = first.iter_days().take(query.days as usize);
    let empty = |day| TrendDay { day, opened: BySeverity::default(), decided: 0, resolved: 0 };
    let mut days: BTreeMap<_, _> = days.map(|day| (day, empty(day))).collect();
    let since = first.and_time(NaiveTime::MIN).and_utc() - offset;
    let counts = Counts { db: &state.database, filter: &filter, since, offset };
    count(&counts, &mut days).await.map_err(DriftError::from)?;
    Ok(as_of.on(http::ok(Trend { days: days.into_values().collect() })))
}

struct Counts<'a, C> {
    db: &'a C,
    filter: &'a Filter,
    since: DateTime<Utc>,
    offset: TimeDelta,
}

async fn count<C: ConnectionTrait>(
    counts: &Counts<'_, C>,
    days: &mut BTreeMap<NaiveDate, TrendDay>,
) -> Result<(), DbErr> {
    for (day, severity, drifts) in counts.of(Column::DetectedAt).await? {
        if let Some(day) = days.get_mut(&day) {
            day.opened.add(severity, drifts);
        }
    }
    for decided_at in [Column::ApprovedAt, Column::RejectedAt] {
        for (day, _, drifts) in counts.of(decided_at).await? {
            if let Some(day) = days.get_mut(&day) {
                day.decided += drifts;
            }
        }
    }
    for (day, _, drifts) in counts.of(Column::ResolvedAt).await? {
        if let Some(day) = days.get_mut(&day) {
            day.resolved += drifts;
        }
    }
    Ok(())
}

impl<C: ConnectionTrait> Counts<'_, C> {
    /// Counts the drifts of each day and severity by one of their times.
    async fn of(&self, time: Column) -> Result<Vec<(NaiveDate, Severity, i64)>, DbErr> {
        let (name, minutes) = (time.as_str(), self.offset.num_minutes());
        let day = match self.db.get_database_backend() {
            DbBackend::Sqlite => format!(r#"date("{name}", '{minutes} minutes')"#),
            _ => format!(
                r#"to_char(("{name}" AT TIME ZONE 'UTC') + interval '{minutes} minutes', 'YYYY-MM-DD')"#
            ),
        };
        let rows = Entity::find()
            .select_only()
            .column_as(Expr::cust(day.clone()), "day")
            .column(Column::Severity)
            .column_as(Expr::col(Asterisk).count(), "drifts")
            .filter(self.filter.condition())
            .filter(time.gte(self.since))
            .group_by(Expr::cust(day))
            .group_by(Column::Severity)
            .into_tuple::<(String, Severity, i64)>()
            .all(self.db)
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(day, severity, drifts)| Some((day.parse().ok()?, severity, drifts)))
            .collect())
    }
}
