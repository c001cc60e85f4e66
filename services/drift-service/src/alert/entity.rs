//! The table of alerts and its queries.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use contracts::drift::Severity;
use contracts::events::alert::AlertType;
use database::{IDS_PER_STATEMENT, ids_where, insert_chunked};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveValue::Set, Condition, IntoActiveModel, QueryOrder, QuerySelect};

use super::reads;

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
    let wanted = Condition::all()
        .add_option(filter.is_read.map(|is_read| is_read_by(filter.reader.as_ref(), is_read)))
        .add_option(filter.severity.map(|severity| Column::Severity.eq(severity)))
        .add_option(filter.alert_type.map(|alert_type| Column::AlertType.eq(alert_type)))
        .add_option(filter.drift_id.map(|id| Column::DriftId.eq(id)))
        .add_option(after.map(older));
    Entity::find()
        .filter(wanted)
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
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

/// Closes the open alerts of a drift for everybody. Returns their ids.
pub async fn close_of_drift(
    db: &impl ConnectionTrait,
    drift_id: Uuid,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbErr> {
    // Locked in the order of ids, so that two transactions cannot wait for each other.
    let open: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::DriftId.eq(drift_id))
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

/// Deletes an alert and returns it.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::delete_by_id(id).exec_with_returning(db).await
}
