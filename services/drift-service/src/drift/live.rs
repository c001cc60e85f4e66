//! Live drifts, as matching reads them: locked, and without the large columns.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use contracts::AccountId;
use contracts::drift::{Kind, ResolvedHow, Severity, Status};
use database::{IDS_PER_STATEMENT, ids_where};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{Condition, QueryOrder, QuerySelect};

use super::entity::{Column, Entity, Model};

/// The columns of a live drift that matching needs.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Live {
    pub id: Uuid,
    pub account_id: Option<AccountId>,
    pub address: String,
    pub resource_id: String,
    pub resource_type: String,
    pub region: String,
    pub provider: String,
    pub provider_config: String,
    pub fingerprint: String,
    pub actual_hash: String,
    pub shown_hash: Option<String>,
    pub decidable: Option<String>,
    pub kind: Kind,
    pub status: Status,
    pub severity: Severity,
    pub is_severity_manual: bool,
    pub cost_cents: i64,
    pub is_cost_known: bool,
    pub version: i32,
}

/// The shown state that a decision was made on.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Shown {
    pub id: Uuid,
    pub actual_state: Option<String>,
    pub difference: String,
}

/// A drift with the decision on it.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Decided {
    pub id: Uuid,
    pub address: String,
    pub status: Status,
    pub severity: Severity,
    pub approved_at: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    pub approved_reason: Option<String>,
    pub rejected_at: Option<DateTime<Utc>>,
    pub rejected_by: Option<String>,
    pub rejected_reason: Option<String>,
}

/// The last resolved row of a fingerprint.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Resolved {
    pub id: Uuid,
    pub fingerprint: String,
    pub actual_hash: String,
}

/// A resolved drift, with the part that the next drift of its resource takes over.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Predecessor {
    pub id: Uuid,
    pub resolved_at: Option<DateTime<Utc>>,
    pub resolved_how: Option<ResolvedHow>,
    pub return_times: Option<String>,
    pub assignee_id: Option<String>,
    pub ticket_url: Option<String>,
}

/// Reads these drifts as predecessors.
pub async fn predecessors(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Predecessor>, DbErr> {
    let mut rows = Vec::new();
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        let query = Entity::find().filter(Column::Id.is_in(chunk.iter().copied()));
        rows.extend(query.into_partial_model::<Predecessor>().all(db).await?);
    }
    Ok(rows)
}

/// Reads the live drifts of a stack and locks them against decisions until the transaction ends. They are
/// locked in the order of ids, so that two transactions cannot wait for each other.
pub async fn lock_live(db: &impl ConnectionTrait, stack: &str) -> Result<Vec<Live>, DbErr> {
    select_live(stack).lock_exclusive().into_partial_model().all(db).await
}

/// Reads the live drifts of a stack.
pub async fn of_stack(db: &impl ConnectionTrait, stack: &str) -> Result<Vec<Live>, DbErr> {
    select_live(stack).into_partial_model().all(db).await
}

fn select_live(stack: &str) -> Select<Entity> {
    Entity::find()
        .filter(Column::Stack.eq(stack))
        .filter(Column::Status.ne(Status::Resolved))
        .order_by_asc(Column::Id)
}

/// Reads the decisions on these drifts.
pub async fn decided(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Decided>, DbErr> {
    let mut rows = Vec::new();
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        let query = Entity::find().filter(Column::Id.is_in(chunk.iter().copied()));
        rows.extend(query.into_partial_model::<Decided>().all(db).await?);
    }
    Ok(rows)
}

/// Reads the shown state of these drifts.
pub async fn shown(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Shown>, DbErr> {
    let mut rows = Vec::new();
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        let query = Entity::find().filter(Column::Id.is_in(chunk.iter().copied()));
        rows.extend(query.into_partial_model::<Shown>().all(db).await?);
    }
    Ok(rows)
}

/// Reads the next live drifts of all stacks, sorted by id, and locks them until the transaction ends.
pub async fn live_after(
    db: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let after = after.map(|id| Column::Id.gt(id));
    Entity::find()
        .filter(Column::Status.ne(Status::Resolved))
        .filter(Condition::all().add_option(after))
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_exclusive()
        .all(db)
        .await
}

/// Returns the ids of drifts whose approval or snooze ends by `now`, the earliest end first.
pub async fn due(db: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<Vec<Uuid>, DbErr> {
    let mut due = Vec::new();
    for (column, status) in
        [(Column::ApprovedUntil, Status::Approved), (Column::SnoozedUntil, Status::Detected)]
    {
        let over = Entity::find().filter(column.lte(now)).filter(Column::Status.eq(status));
        let ids = over.order_by_asc(column).order_by_asc(Column::Id).select_only().column(Column::Id);
        due.extend(ids.limit(limit).into_tuple::<Uuid>().all(db).await?);
    }
    Ok(due)
}

/// Reads the next drifts that are live or that a scan has shown since, the last shown first.
pub async fn seen_since(
    db: &impl ConnectionTrait,
    since: DateTime<Utc>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let place = || Expr::tuple([Expr::col(Column::LastSeenAt), Expr::col(Column::Id)]);
    let earlier =
        |(at, id): (DateTime<Utc>, Uuid)| place().lt(Expr::tuple([Expr::value(at), Expr::value(id)]));
    Entity::find()
        .filter(Condition::any().add(Column::Status.ne(Status::Resolved)).add(Column::LastSeenAt.gte(since)))
        .filter(Condition::all().add_option(after.map(earlier)))
        .order_by_desc(Column::LastSeenAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Returns the last change of each drift among `ids` that exists.
pub async fn changed_at(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, DateTime<Utc>>, DbErr> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(IDS_PER_STATEMENT) {
        let of_these = Entity::find().filter(Column::Id.is_in(chunk.iter().copied()));
        let columns = of_these.select_only().columns([Column::Id, Column::UpdatedAt]);
        found.extend(columns.into_tuple::<(Uuid, DateTime<Utc>)>().all(db).await?);
    }
    Ok(found)
}

/// Returns the live drifts of these fingerprints, and locks them against decisions until the transaction ends.
pub async fn of_fingerprints(db: &impl ConnectionTrait, fingerprints: &[&str]) -> Result<Vec<Model>, DbErr> {
    let mut rows = Vec::new();
    for chunk in fingerprints.chunks(IDS_PER_STATEMENT) {
        let of_these = Column::Fingerprint.is_in(chunk.iter().copied());
        rows.extend(
            Entity::find().filter(of_these).filter(Column::Status.ne(Status::Resolved)).all(db).await?,
        );
    }
    Ok(rows)
}

/// Returns the ids among `ids` that exist.
pub async fn existing(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    ids_where::<Entity>(db, Column::Id, ids, Condition::all()).await
}

/// Returns the ids among `ids` of drifts that have this status.
pub async fn with_status(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
    status: Status,
) -> Result<HashSet<Uuid>, DbErr> {
    ids_where::<Entity>(db, Column::Id, ids, Condition::all().add(Column::Status.eq(status))).await
}

/// Reads the last resolved row of each fingerprint that has one.
pub async fn last_resolved(db: &impl ConnectionTrait, fingerprints: &[&str]) -> Result<Vec<Resolved>, DbErr> {
    let later = || Alias::new("later");
    let same_fingerprint = Expr::col((later(), Column::Fingerprint)).equals((Entity, Column::Fingerprint));
    let resolved_later = Expr::col((later(), Column::ResolvedAt)).gt(Expr::col((Entity, Column::ResolvedAt)));
    let mut rows = Vec::new();
    for chunk in fingerprints.chunks(IDS_PER_STATEMENT) {
        let one_later = Query::select()
            .expr(Expr::value(1))
            .from_as(Entity, later())
            .and_where(same_fingerprint.clone())
            .and_where(resolved_later.clone())
            .to_owned();
        let query = Entity::find()
            .filter(Column::Fingerprint.is_in(chunk.iter().copied()))
            .filter(Column::Status.eq(Status::Resolved))
            .filter(Expr::exists(one_later).not());
        rows.extend(query.into_partial_model::<Resolved>().all(db).await?);
    }
    Ok(rows)
}
