//! The table of drifts and its queries. Handlers never build a query.

use chrono::{DateTime, Utc};
use contracts::AccountId;
use contracts::drift::{Kind, ResolvedHow, Severity, Status};
use database::{IDS_PER_STATEMENT, insert_chunked};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, IntoActiveModel, Order, QueryOrder, QuerySelect};

use crate::page;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drifts", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Option<AccountId>,
    pub stack: String,
    pub address: String,
    pub resource_id: String,
    pub resource_type: String,
    /// Empty if unknown.
    pub region: String,
    /// The source address of the provider; empty if unknown.
    pub provider: String,
    /// The key of the provider's configuration; empty if unknown.
    pub provider_config: String,
    pub severity: Severity,
    /// [`Severity::rank`], for lists sorted by it.
    pub severity_rank: i16,
    pub severity_reason: Option<String>,
    /// A person has set the severity, so no scan changes it.
    pub is_severity_manual: bool,
    pub kind: Kind,
    pub status: Status,
    /// Redacted JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub expected_state: Option<String>,
    /// Redacted JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub actual_state: Option<String>,
    /// The changed paths, as JSON.
    #[sea_orm(column_type = "Text")]
    pub difference: String,
    /// 0 if unknown.
    pub cost_cents: i64,
    pub is_cost_known: bool,
    pub detected_at: DateTime<Utc>,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub occurrences: i32,
    pub approved_at: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub approved_reason: Option<String>,
    /// The time at which the approval expires; `None` if it lasts until the value changes.
    pub approved_until: Option<DateTime<Utc>>,
    pub rejected_at: Option<DateTime<Utc>>,
    pub rejected_by: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub rejected_reason: Option<String>,
    /// The time from the first sighting to the decision.
    pub decision_seconds: Option<i64>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolved_by: Option<String>,
    pub resolved_how: Option<ResolvedHow>,
    pub previous_drift_id: Option<Uuid>,
    /// Number of [`Model::return_times`], for filters.
    pub returns: i32,
    /// The [`super::returns`] of the drift, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub return_times: Option<String>,
    pub assignee_id: Option<String>,
    pub ticket_url: Option<String>,
    pub snoozed_until: Option<DateTime<Utc>>,
    pub fingerprint: String,
    /// Identifies the decidable part of the actual state, under the server's key.
    pub actual_hash: String,
    /// Identifies the shown state, without values that change by themselves. `None` in rows that other rules
    /// or 0.1.0 wrote.
    pub shown_hash: Option<String>,
    /// The [`scan::PathHash`]es that a decision covers, as JSON. `None` in rows that 0.1.0 wrote.
    #[sea_orm(column_type = "Text", nullable)]
    pub decidable: Option<String>,
    /// Incremented by every change except sightings. Sent as the ETag.
    pub version: i32,
    /// The text that `q` searches: id, address and type in lower case.
    #[sea_orm(column_type = "Text")]
    pub search_text: String,
    /// The changed paths in lower case, as `tags.name`, one in a line.
    #[sea_orm(column_type = "Text")]
    pub search_paths: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Returns the drifts after the first `offset` ones. Ties are broken by id.
pub async fn numbered_page(
    db: &impl ConnectionTrait,
    condition: Condition,
    (column, order): (Column, Order),
    offset: u64,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let sorted = Entity::find().filter(condition).order_by(column, order.clone()).order_by(Column::Id, order);
    sorted.offset(offset).limit(limit).all(db).await
}

/// Counts the drifts, at most up to `most`.
pub async fn count_up_to(db: &impl ConnectionTrait, condition: Condition, most: u64) -> Result<u64, DbErr> {
    page::count_up_to(db, Entity::find().filter(condition), Column::Id, most).await
}

/// Returns the status of a drift.
pub async fn status(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Status>, DbErr> {
    Entity::find_by_id(id).select_only().column(Column::Status).into_tuple().one(db).await
}

/// Reads a drift and locks it until the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// Returns a matching drift of a cause with this address.
pub async fn of_cause(
    db: &impl ConnectionTrait,
    condition: Condition,
    resource_type: &str,
    actual_hash: &str,
    address: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(condition)
        .filter(Column::ActualHash.eq(actual_hash))
        .filter(Column::ResourceType.eq(resource_type))
        .filter(Column::Address.eq(address))
        .order_by_desc(Column::Id)
        .one(db)
        .await
}

/// Returns the drifts with these ids, in the order of ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let mut drifts = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        let query = Entity::find().filter(Column::Id.is_in(chunk.iter().copied()));
        drifts.extend(query.order_by_asc(Column::Id).all(db).await?);
    }
    Ok(drifts)
}

/// Counts the matching drifts of each status.
pub async fn count_by_status(
    db: &impl ConnectionTrait,
    condition: Condition,
) -> Result<Vec<(Status, u64)>, DbErr> {
    let counts: Vec<(Status, i64)> = Entity::find()
        .select_only()
        .column(Column::Status)
        .column_as(Expr::col(Column::Id).count(), "count")
        .filter(condition)
        .group_by(Column::Status)
        .into_tuple()
        .all(db)
        .await?;
    Ok(counts.into_iter().map(|(status, count)| (status, count.unsigned_abs())).collect())
}

/// Reads the matching drifts with one of these statuses and locks them until the transaction ends, in the order of ids,
/// so that two transactions cannot wait for each other.
pub async fn lock_matching(
    db: &impl ConnectionTrait,
    condition: Condition,
    statuses: &[Status],
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(condition)
        .filter(Column::Status.is_in(statuses.iter().copied()))
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_exclusive()
        .all(db)
        .await
}

/// Deletes a drift. The foreign key deletes its alerts as well.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

pub async fn live_by_fingerprint(
    db: &impl ConnectionTrait,
    fingerprint: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Fingerprint.eq(fingerprint))
        .filter(Column::Status.ne(Status::Resolved))
        .one(db)
        .await
}

pub async fn insert(db: &impl ConnectionTrait, drifts: &[Model]) -> Result<(), DbErr> {
    insert_chunked(db, drifts.iter().cloned().map(|drift| drift.into_active_model().reset_all()).collect())
        .await
}

/// Counts sightings of unchanged drifts. Their versions stay.
pub async fn record_sightings(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        Entity::update_many()
            .col_expr(Column::Occurrences, Expr::col(Column::Occurrences).add(1))
            .col_expr(Column::LastSeenAt, Expr::value(at))
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Resolves live drifts that the transaction has locked.
pub async fn resolve_locked(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
    how: ResolvedHow,
    by: &str,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        let resolution = ActiveModel {
            status: Set(Status::Resolved),
            resolved_at: Set(Some(at)),
            resolved_by: Set(Some(by.into())),
            resolved_how: Set(Some(how)),
            approved_until: Set(None),
            snoozed_until: Set(None),
            updated_at: Set(at),
            ..Default::default()
        };
        Entity::update_many()
            .set(resolution)
            .col_expr(Column::Version, Expr::col(Column::Version).add(1))
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Changes a drift and increments its version, in one conditional UPDATE. Returns `false` if the drift no
/// longer has that status, or that version if one is given.
pub async fn update_if(
    db: &impl ConnectionTrait,
    id: Uuid,
    status: Status,
    version: Option<i32>,
    change: ActiveModel,
) -> Result<bool, DbErr> {
    let mut update = Entity::update_many()
        .set(change)
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Status.eq(status));
    if let Some(version) = version {
        update = update.filter(Column::Version.eq(version));
    }
    Ok(update.exec(db).await?.rows_affected == 1)
}

/// Changes a live drift that the transaction has locked. With `is_news`, people should notice the change, so the
/// version is incremented. With `is_seen`, a scan has shown the drift again.
pub async fn update_locked(
    db: &impl ConnectionTrait,
    id: Uuid,
    change: ActiveModel,
    is_news: bool,
    is_seen: bool,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(change)
        .col_expr(Column::Version, Expr::col(Column::Version).add(i32::from(is_news)))
        .col_expr(Column::Occurrences, Expr::col(Column::Occurrences).add(i32::from(is_seen)))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}
