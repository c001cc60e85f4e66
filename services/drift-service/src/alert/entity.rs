//! The table of alerts and its queries.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use contracts::drift::Severity;
use contracts::events::alert::AlertType;
use database::{IDS_PER_STATEMENT, ids_where, insert_chunked, text_contains};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, Query};
use sea_orm::{ActiveValue::Set, Condition, IntoActiveModel, Order, QueryOrder, QuerySelect};
use strum::IntoEnumIterator;

use super::reads;
use crate::page as pages;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alerts", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub drift_id: Option<Uuid>,
    pub alert_type: AlertType,
    pub severity: Severity,
    pub title: String,
    #[sea_orm(column_type = "Text")]
    pub message: String,
    pub created_at: DateTime<Utc>,
    /// The alert is closed for everybody, because its drift was approved. The alerts that a person has read
    /// are in [`super::reads`].
    pub is_read: bool,
    pub read_at: Option<DateTime<Utc>>,
    pub read_by: Option<String>,
    /// The stack that the alert concerns.
    pub stack: Option<String>,
    /// The scan that raised the alert.
    pub scan_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A person who reads alerts.
#[derive(Clone, Debug)]
pub struct ReaderMark {
    pub user_id: String,
    /// All alerts up to this time have been read.
    pub read_until: Option<DateTime<Utc>>,
}

impl ReaderMark {
    /// The condition that this person has read an alert, or that it is closed.
    fn has_read(&self) -> Condition {
        let own = Query::select()
            .expr(Expr::value(1))
            .from(reads::Entity)
            .and_where(Expr::col((reads::Entity, reads::Column::AlertId)).equals((Entity, Column::Id)))
            .and_where(Expr::col((reads::Entity, reads::Column::UserId)).eq(self.user_id.as_str()))
            .to_owned();
        Condition::any()
            .add(Column::IsRead.eq(true))
            .add(Expr::exists(own))
            .add_option(self.read_until.map(|until| Column::CreatedAt.lte(until)))
    }
}

/// The filters of a list.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Whether `reader` has read the alert; without a reader, whether the alert is closed.
    pub is_read: Option<bool>,
    pub reader: Option<ReaderMark>,
    pub severity: Option<Severity>,
    pub alert_type: Option<AlertType>,
    pub drift_id: Option<Uuid>,
    /// Part of the title or the message, case-insensitive.
    pub text: Option<String>,
}

impl AlertFilter {
    fn condition(&self) -> Condition {
        let in_column = |column, text: &str| text_contains(Func::lower(Expr::col(column)).into(), text);
        let mentions = |text: &String| in_column(Column::Title, text).or(in_column(Column::Message, text));
        Condition::all()
            .add_option(self.is_read.map(|is_read| is_read_by(self.reader.as_ref(), is_read)))
            .add_option(self.severity.map(|severity| Column::Severity.eq(severity)))
            .add_option(self.alert_type.map(|alert_type| Column::AlertType.eq(alert_type)))
            .add_option(self.drift_id.map(|id| Column::DriftId.eq(id)))
            .add_option(self.text.as_ref().map(mentions))
    }
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

pub async fn of_drift(db: &impl ConnectionTrait, drift_id: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::DriftId.eq(drift_id)).all(db).await
}

/// Returns the alerts that follow `after`, newest first.
pub async fn page(
    db: &impl ConnectionTrait,
    filter: &AlertFilter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let place = || Expr::tuple([Expr::col(Column::CreatedAt), Expr::col(Column::Id)]);
    let older = |(at, id): (DateTime<Utc>, Uuid)| place().lt(Expr::tuple([Expr::value(at), Expr::value(id)]));
    Entity::find()
        .filter(filter.condition())
        .filter(Condition::all().add_option(after.map(older)))
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Returns the alerts after the first `offset` ones. Ties are broken by id.
pub async fn numbered_page(
    db: &impl ConnectionTrait,
    filter: &AlertFilter,
    (column, order): (Column, Order),
    offset: u64,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let matching = Entity::find().filter(filter.condition());
    let sorted = match column {
        Column::Severity => matching.order_by(severity_rank(), order.clone()),
        column => matching.order_by(column, order.clone()),
    };
    sorted.order_by(Column::Id, order).offset(offset).limit(limit).all(db).await
}

fn severity_rank() -> Expr {
    let ranks = Severity::iter().fold(CaseStatement::new(), |ranks, severity| {
        ranks.case(Column::Severity.eq(severity), i32::from(severity.rank()))
    });
    ranks.into()
}

/// Counts the alerts, at most up to `most`.
pub async fn count_up_to(db: &impl ConnectionTrait, filter: &AlertFilter, most: u64) -> Result<u64, DbErr> {
    pages::count_up_to(db, Entity::find().filter(filter.condition()), Column::Id, most).await
}

/// Returns the number of alerts of each of these drifts that has any.
pub async fn counts_of(db: &impl ConnectionTrait, drift_ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, DbErr> {
    let counts = Entity::find()
        .select_only()
        .column(Column::DriftId)
        .column_as(Column::Id.count(), "alerts")
        .filter(Column::DriftId.is_in(drift_ids.iter().copied()))
        .group_by(Column::DriftId);
    Ok(counts.into_tuple::<(Uuid, i64)>().all(db).await?.into_iter().collect())
}

/// Returns the types of the alerts that these drifts have.
pub async fn types_of(
    db: &impl ConnectionTrait,
    drift_ids: &HashSet<Uuid>,
) -> Result<HashSet<(Uuid, AlertType)>, DbErr> {
    let drift_ids = drift_ids.iter().copied().collect::<Vec<_>>();
    let mut found = HashSet::new();
    for chunk in drift_ids.chunks(IDS_PER_STATEMENT) {
        let of_these = Entity::find().filter(Column::DriftId.is_in(chunk.iter().copied()));
        let columns = of_these.select_only().columns([Column::DriftId, Column::AlertType]);
        found.extend(columns.into_tuple::<(Uuid, AlertType)>().all(db).await?);
    }
    Ok(found)
}

/// Returns the drifts among `drift_ids` that have an alert of that type.
pub async fn drifts_with(
    db: &impl ConnectionTrait,
    alert_type: AlertType,
    drift_ids: &[Uuid],
) -> Result<Vec<Uuid>, DbErr> {
    let mut found = Vec::new();
    for chunk in drift_ids.chunks(IDS_PER_STATEMENT) {
        let query = Entity::find()
            .select_only()
            .column(Column::DriftId)
            .filter(Column::AlertType.eq(alert_type))
            .filter(Column::DriftId.is_in(chunk.iter().copied()));
        found.extend(query.into_tuple::<Uuid>().all(db).await?);
    }
    Ok(found)
}

/// Returns the ids among `ids` that exist.
pub async fn existing(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    ids_where::<Entity>(db, Column::Id, ids, Condition::all()).await
}

pub async fn insert(db: &impl ConnectionTrait, alerts: &[Model]) -> Result<(), DbErr> {
    insert_chunked(db, alerts.iter().cloned().map(|alert| alert.into_active_model().reset_all()).collect())
        .await
}

fn is_read_by(reader: Option<&ReaderMark>, is_read: bool) -> Condition {
    let read = match reader {
        Some(reader) => reader.has_read(),
        None => Condition::all().add(Column::IsRead.eq(true)),
    };
    if is_read { read } else { read.not() }
}

/// Counts the alerts that `reader` has not read. Without a reader, counts the alerts that are not closed.
pub async fn count_unread(db: &impl ConnectionTrait, reader: Option<&ReaderMark>) -> Result<u64, DbErr> {
    Entity::find().filter(is_read_by(reader, false)).count(db).await
}

/// Counts the alerts that were raised since a time.
pub async fn count_since(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<u64, DbErr> {
    Entity::find().filter(Column::CreatedAt.gte(since)).count(db).await
}

/// Closes the open alerts of drifts for everybody. Returns their ids.
pub async fn close_of_drifts(
    db: &impl ConnectionTrait,
    drift_ids: &[Uuid],
    by: &str,
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbErr> {
    let of_drifts = Column::DriftId.is_in(drift_ids.iter().copied());
    close(db, Condition::all().add(of_drifts), by, at).await
}

/// Closes the open alerts about the silence of a stack for everybody. Returns their ids.
pub async fn close_silence(
    db: &impl ConnectionTrait,
    stack: &str,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbErr> {
    let of_stack = Column::Stack.eq(stack).and(Column::AlertType.eq(AlertType::StackSilent));
    close(db, Condition::all().add(of_stack), by, at).await
}

async fn close(
    db: &impl ConnectionTrait,
    which: Condition,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbErr> {
    // Locked in the order of ids, so that two transactions cannot wait for each other.
    let open: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(which)
        .filter(Column::IsRead.eq(false))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(db)
        .await?;
    for chunk in open.chunks(IDS_PER_STATEMENT) {
        let closing = ActiveModel {
            is_read: Set(true),
            read_at: Set(Some(at)),
            read_by: Set(Some(by.into())),
            ..Default::default()
        };
        Entity::update_many().set(closing).filter(Column::Id.is_in(chunk.iter().copied())).exec(db).await?;
    }
    Ok(open)
}

/// Deletes the alerts of a type about a drift and returns them.
pub async fn delete_of(
    db: &impl ConnectionTrait,
    drift_id: Uuid,
    alert_type: AlertType,
) -> Result<Vec<Model>, DbErr> {
    let of_drift = Column::DriftId.eq(drift_id).and(Column::AlertType.eq(alert_type));
    Entity::delete_many().filter(of_drift).exec_with_returning(db).await
}

/// Deletes an alert and returns it.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::delete_by_id(id).exec_with_returning(db).await
}
