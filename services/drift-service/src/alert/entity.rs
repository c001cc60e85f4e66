//! The table of alerts and what is asked of it.

use chrono::{DateTime, Utc};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect};

use super::AlertType;
use crate::rules::Severity;

/// Rows of one INSERT: SQLite takes 32,766 parameters in one statement, and a row has 10.
const ROWS_PER_INSERT: usize = 2_000;
const IDS_PER_STATEMENT: usize = 1_000;

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
    pub is_read: bool,
    pub read_at: Option<DateTime<Utc>>,
    pub read_by: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which alerts are meant.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    All,
    One(Uuid),
    OfDrift(Uuid),
}

impl Which {
    fn condition(self) -> Condition {
        match self {
            Self::All => Condition::all(),
            Self::One(id) => Condition::all().add(Column::Id.eq(id)),
            Self::OfDrift(id) => Condition::all().add(Column::DriftId.eq(id)),
        }
    }
}

/// What a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub is_read: Option<bool>,
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

/// The newest first, those after `after`.
pub async fn page(
    db: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let place = || Expr::tuple([Expr::col(Column::CreatedAt), Expr::col(Column::Id)]);
    let older = |(at, id): (DateTime<Utc>, Uuid)| place().lt(Expr::tuple([Expr::value(at), Expr::value(id)]));
    let wanted = Condition::all()
        .add_option(filter.is_read.map(|is_read| Column::IsRead.eq(is_read)))
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

/// Which of these drifts have an alert of that type.
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

pub async fn insert(db: &impl ConnectionTrait, alerts: &[Model]) -> Result<(), DbErr> {
    for chunk in alerts.chunks(ROWS_PER_INSERT) {
        let rows = chunk.iter().cloned().map(|alert| alert.into_active_model().reset_all());
        Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Marks those that are unread and returns their ids: exactly one of several callers gets each.
pub async fn mark_read(
    db: &impl ConnectionTrait,
    which: Which,
    by: &str,
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbErr> {
    // Locked in the order of ids, so that two callers cannot wait for each other.
    let unread: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(which.condition())
        .filter(Column::IsRead.eq(false))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(db)
        .await?;
    for chunk in unread.chunks(IDS_PER_STATEMENT) {
        let reading = ActiveModel {
            is_read: Set(true),
            read_at: Set(Some(at)),
            read_by: Set(Some(by.into())),
            ..Default::default()
        };
        Entity::update_many().set(reading).filter(Column::Id.is_in(chunk.iter().copied())).exec(db).await?;
    }
    Ok(unread)
}

/// Deletes an alert and gives what it was.
pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::delete_by_id(id).exec_with_returning(db).await
}
