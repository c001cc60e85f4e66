use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::drift::{ResolvedHow, Status};
use http::openapi::Success;
use http::{AnyOf, ApiError, ValidQuery, Viewer};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::super::trend::BySeverity;
use super::month::Month;
use super::view::{MonthlyView, StackMonth};
use super::{at_end, counts, decisions};
use crate::State;
use crate::drift::Filter;
use crate::error::DriftError;

const MAX_ACCEPTED: u64 = 500;
const MAX_STACKS: usize = 50;
const WAYS: [ResolvedHow; 4] =
    [ResolvedHow::Manual, ResolvedHow::Auto, ResolvedHow::Superseded, ResolvedHow::Ignored];

/// The month, and the drifts that count. Lists are comma-separated, with at most 50 values.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct MonthlyQuery {
    /// As `2026-11`. Default: the current month
    #[param(example = "2026-11")]
    month: Option<String>,
    /// Minutes by which local time is ahead of UTC: 60 in Berlin in winter
    #[validate(range(min = -840, max = 840))]
    #[serde(default)]
    #[param(value_type = Option<i32>, default = 0, minimum = -840, maximum = 840)]
    offset_minutes: i32,
    #[param(value_type = Option<String>)]
    stack: Option<AnyOf<String>>,
    #[param(value_type = Option<String>)]
    account_id: Option<AnyOf<String>>,
}

/// Returns the numbers of a month: drifts that opened, decisions, and what was accepted or open at the end.
#[utoipa::path(get, path = "/api/v1/reports/monthly", tag = "metrics", params(MonthlyQuery),
    responses((status = 200, body = Success<MonthlyView>)),
    security(("bearer" = ["viewer"])))]
pub async fn get_monthly_report(
    state: Data<State>,
    _viewer: Viewer,
    ValidQuery(query): ValidQuery<MonthlyQuery>,
) -> Result<HttpResponse, ApiError> {
    let now = state.platform.clock().now();
    let month = Month::new(query.month.as_deref(), query.offset_minutes, now)?;
    let filter = Filter { stack: query.stack, account_id: query.account_id, ..Filter::default() };
    Ok(http::ok(read(&state.database, month, &filter).await.map_err(DriftError::from)?))
}

async fn read(db: &impl ConnectionTrait, month: Month, filter: &Filter) -> Result<MonthlyView, DbErr> {
    let (mut opened, mut open_at_end) = (BySeverity::default(), BySeverity::default());
    let mut resolved = BTreeMap::from(WAYS.map(|how| (how.into_str(), 0)));
    let mut accepted_count = 0;
    let mut stacks: BTreeMap<String, StackMonth> = BTreeMap::new();
    for group in counts::opened(db, &month, filter).await? {
        opened.add(group.severity, group.drifts);
        of(&mut stacks, group.stack).opened += group.drifts.unsigned_abs();
    }
    for group in counts::resolved(db, &month, filter).await? {
        *resolved.entry(group.resolved_how.into_str()).or_default() += group.drifts.unsigned_abs();
        of(&mut stacks, group.stack).resolved += group.drifts.unsigned_abs();
    }
    for group in at_end::count(db, month.to, filter).await? {
        match group.status {
            Status::Detected => {
                open_at_end.add(group.severity, group.drifts);
                of(&mut stacks, group.stack).open_at_end += group.drifts.unsigned_abs();
            }
            Status::Approved => accepted_count += group.drifts.unsigned_abs(),
            Status::Rejected | Status::Resolved => {}
        }
    }
    Ok(MonthlyView {
        opened,
        decided: decisions::by_person(db, &month, filter).await?,
        time_to_decide: decisions::times(db, &month, filter).await?,
        resolved,
        accepted: at_end::accepted(db, month.to, filter, MAX_ACCEPTED).await?,
        accepted_count,
        open_at_end,
        stack_count: stacks.len() as u64,
        stacks: worst(stacks),
        month: month.name,
        from: month.from,
        to: month.to,
    })
}

fn of(stacks: &mut BTreeMap<String, StackMonth>, stack: String) -> &mut StackMonth {
    stacks.entry(stack.clone()).or_insert_with(|| StackMonth { stack, ..StackMonth::default() })
}

/// Returns the stacks with the most open drifts, and among them those in which the most drifts opened.
fn worst(stacks: BTreeMap<String, StackMonth>) -> Vec<StackMonth> {
    let mut stacks: Vec<StackMonth> = stacks.into_values().collect();
    stacks.sort_by(|one, other| {
        (other.open_at_end, other.opened, &one.stack).cmp(&(one.open_at_end, one.opened, &other.stack))
    });
    stacks.truncate(MAX_STACKS);
    stacks
}
