//! The changes since a time, such as the last visit of a person.

use std::cmp::Reverse;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::Timestamp;
use contracts::drift::Severity;
use http::openapi::Success;
use http::{ApiError, ValidQuery};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, FromQueryResult, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::trend::BySeverity;
use crate::access::Reader;
use crate::as_of::{AsOf, AsOfParams};
use crate::drift::entity::{Column, Entity};
use crate::error::DriftError;
use crate::{State, alert, audit};

const MAX_STACKS: usize = 20;

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ChangesQuery {
    /// RFC 3339, from 1970 to 9999
    #[param(value_type = chrono::DateTime<chrono::Utc>)]
    since: Timestamp,
}

/// The drifts and alerts that are new or changed. A drift that was decided and then resolved counts as both.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    since: DateTime<Utc>,
    /// Drifts that were detected since, as the filter `detectedFrom` has them.
    opened: BySeverity,
    approved: i64,
    rejected: i64,
    resolved: i64,
    reopened: u64,
    alerts: u64,
    /// At most 20, the ones with the most changes first.
    stacks: Vec<StackChanges>,
}

/// The changes of one stack.
#[derive(Debug, Serialize, ToSchema)]
pub struct StackChanges {
    stack: String,
    opened: i64,
    resolved: i64,
}

/// The changes of one stack and one severity.
#[derive(FromQueryResult)]
struct Row {
    stack: String,
    severity: Severity,
    opened: i64,
    approved: i64,
    rejected: i64,
    resolved: i64,
}

/// Counts what has changed since a time.
#[utoipa::path(get, path = "/api/v1/metrics/changes", tag = "metrics", params(ChangesQuery, AsOfParams),
    responses((status = 200, body = Success<Changes>)),
    security((), ("bearer" = [])))]
pub async fn get_changes(
    state: Data<State>,
    _reader: Reader,
    as_of: AsOf,
    ValidQuery(ChangesQuery { since: Timestamp(since) }): ValidQuery<ChangesQuery>,
) -> Result<HttpResponse, ApiError> {
    Ok(as_of.on(http::ok(changes(&state.database, since).await.map_err(DriftError::from)?)))
}

async fn changes(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<Changes, DbErr> {
    let mut changes = Changes {
        since,
        opened: BySeverity::default(),
        approved: 0,
        rejected: 0,
        resolved: 0,
        reopened: audit::entity::count_reopened(db, since).await?,
        alerts: alert::entity::count_since(db, since).await?,
        stacks: Vec::new(),
    };
    for Row { stack, severity, opened, approved, rejected, resolved } in rows(db, since).await? {
        changes.opened.add(severity, opened);
        changes.approved += approved;
        changes.rejected += rejected;
        changes.resolved += resolved;
        match changes.stacks.last_mut().filter(|last| last.stack == stack) {
            Some(last) => {
                last.opened += opened;
                last.resolved += resolved;
            }
            None => changes.stacks.push(StackChanges { stack, opened, resolved }),
        }
    }
    changes.stacks.retain(|stack| stack.opened + stack.resolved > 0);
    changes.stacks.sort_by_key(|stack| Reverse(stack.opened + stack.resolved));
    changes.stacks.truncate(MAX_STACKS);
    Ok(changes)
}

/// Counts the changes of each stack and severity, in the order of stacks.
async fn rows(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<Vec<Row>, DbErr> {
    let times = [
        (Column::DetectedAt, "opened"),
        (Column::ApprovedAt, "approved"),
        (Column::RejectedAt, "rejected"),
        (Column::ResolvedAt, "resolved"),
    ];
    let mut any = Condition::any();
    let mut select = Entity::find().select_only().columns([Column::Stack, Column::Severity]);
    for (time, name) in times {
        any = any.add(time.gte(since));
        let is_since = Expr::case(time.gte(since), 1).finally(0);
        select = select.column_as(Expr::expr(is_since).sum().cast_as("bigint"), name);
    }
    select
        .filter(any)
        .group_by(Column::Stack)
        .group_by(Column::Severity)
        .order_by_asc(Column::Stack)
        .into_model()
        .all(db)
        .await
}
