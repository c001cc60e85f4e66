use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait, OnConflict, Query, SelectStatement};
use sea_orm::{
    FromJsonQueryResult, FromQueryResult, IntoActiveModel, JoinType, NotSet, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

use crate::destination::entity as destination;
use crate::intake::entity as event;

/// An event for a destination. At most one exists for both.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notify_deliveries", rename_all = "camelCase")]
pub struct Model {
    /// Ascending in the order of the events.
    #[sea_orm(primary_key)]
    pub id: i64,
    pub destination_id: Uuid,
    pub event_id: Uuid,
    /// A delivery waits for the earlier ones about the same subject.
    pub subject: String,
    pub status: Status,
    pub created_at: DateTime<Utc>,
    /// The time of the next attempt.
    pub due_at: DateTime<Utc>,
    /// No attempt begins after this time.
    pub expires_at: DateTime<Utc>,
    pub attempts: i32,
    /// The last attempts, oldest first.
    #[sea_orm(column_type = "Json")]
    pub log: Attempts,
    /// The HTTP status of the last attempt.
    pub last_status: Option<i32>,
    /// The kind of the last failure, such as `timeout`.
    pub failure: Option<String>,
    pub finished_at: Option<DateTime<Utc>>,
}

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    EnumIter,
    DeriveActiveEnum,
    IntoStaticStr,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryStatus)]
pub enum Status {
    /// It waits for its time, or for an earlier one.
    Pending,
    Delivered,
    /// It was not sent, because an engineer received the event over an open socket.
    Received,
    /// It was given up.
    Dead,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult, ToSchema)]
pub struct Attempts(pub Vec<Attempt>);

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    pub at: DateTime<Utc>,
    pub millis: i64,
    /// The HTTP status of the response.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// The kind of the failure.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<String>,
}

const MAX_ATTEMPTS: usize = 10;

impl Attempts {
    pub fn push(&mut self, attempt: Attempt) {
        self.0.push(attempt);
        let surplus = self.0.len().saturating_sub(MAX_ATTEMPTS);
        self.0.drain(..surplus);
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "event::Entity", from = "Column::EventId", to = "event::Column::Id")]
    Event,
    #[sea_orm(
        belongs_to = "destination::Entity",
        from = "Column::DestinationId",
        to = "destination::Column::Id"
    )]
    Destination,
}

impl Related<event::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Event.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// A delivery to store.
#[derive(Clone, Debug)]
pub struct New {
    pub destination_id: Uuid,
    pub event_id: Uuid,
    pub subject: String,
    pub due_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Stores deliveries in their order; those that exist stay as they are.
pub async fn insert(db: &impl ConnectionTrait, new: Vec<New>, now: DateTime<Utc>) -> Result<(), DbErr> {
    for chunk in new.chunks(1_000) {
        let rows = chunk.iter().cloned().map(|new| ActiveModel {
            id: NotSet,
            destination_id: Set(new.destination_id),
            event_id: Set(new.event_id),
            subject: Set(new.subject),
            status: Set(Status::Pending),
            created_at: Set(now),
            due_at: Set(new.due_at),
            expires_at: Set(new.expires_at),
            attempts: Set(0),
            log: Set(Attempts::default()),
            last_status: Set(None),
            failure: Set(None),
            finished_at: Set(None),
        });
        let known = OnConflict::columns([Column::DestinationId, Column::EventId]).do_nothing().to_owned();
        Entity::insert_many(rows).on_conflict(known).exec_without_returning(db).await?;
    }
    Ok(())
}

/// A waiting delivery of the same subject and destination with a lower id.
fn earlier() -> SelectStatement {
    let other = Alias::new("earlier");
    let of_both = |column: Column| Expr::col((other.clone(), column)).eq(Expr::col((Entity, column)));
    Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, other.clone())
        .and_where(of_both(Column::DestinationId))
        .and_where(of_both(Column::Subject))
        .and_where(Expr::col((other.clone(), Column::Status)).eq(Status::Pending.to_value()))
        .and_where(Expr::col((other.clone(), Column::Id)).lt(Expr::col((Entity, Column::Id))))
        .take()
}

/// The waiting deliveries of a destination that wait for no earlier one.
fn first_of_subjects(destinations: &[Uuid]) -> Select<Entity> {
    Entity::find()
        .filter(Column::DestinationId.is_in(destinations.iter().copied()))
        .filter(Column::Status.eq(Status::Pending))
        .filter(Expr::not_exists(earlier()))
}

/// Returns due deliveries of a destination, oldest first, at most one of each subject.
pub async fn due(
    db: &impl ConnectionTrait,
    destination: Uuid,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let due = first_of_subjects(&[destination]).filter(Column::DueAt.lte(now));
    due.order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Returns all due deliveries of a destination, oldest first, for one message.
pub async fn due_for_digest(
    db: &impl ConnectionTrait,
    destination: Uuid,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let due = Entity::find()
        .filter(Column::DestinationId.eq(destination))
        .filter(Column::Status.eq(Status::Pending))
        .filter(Column::DueAt.lte(now));
    due.order_by_asc(Column::Id).limit(limit).all(db).await
}

#[derive(FromQueryResult)]
struct Due {
    destination_id: Uuid,
    due_at: DateTime<Utc>,
}

/// Returns the time of the next attempt for each destination that has one.
pub async fn next_due(
    db: &impl ConnectionTrait,
    destinations: &[Uuid],
) -> Result<Vec<(Uuid, DateTime<Utc>)>, DbErr> {
    let next = first_of_subjects(destinations)
        .select_only()
        .column_as(Column::DestinationId, "destination_id")
        .column_as(Column::DueAt.min(), "due_at")
        .group_by(Column::DestinationId);
    let rows = next.into_model::<Due>().all(db).await?;
    Ok(rows.into_iter().map(|row| (row.destination_id, row.due_at)).collect())
}

/// Stores the results of attempts. Deliveries that were deleted meanwhile stay deleted.
pub async fn store(db: &impl ConnectionTrait, attempted: Vec<Model>) -> Result<(), DbErr> {
    for chunk in attempted.chunks(500) {
        let these = Entity::find().filter(Column::Id.is_in(chunk.iter().map(|row| row.id)));
        let existing: Vec<i64> = these.select_only().column(Column::Id).into_tuple().all(db).await?;
        let rows = chunk.iter().filter(|row| existing.contains(&row.id)).cloned();
        let rows: Vec<_> = rows.map(|row| row.into_active_model().reset_all()).collect();
        if rows.is_empty() {
            continue;
        }
        let results = OnConflict::column(Column::Id)
            .update_columns([
                Column::Status,
                Column::DueAt,
                Column::Attempts,
                Column::Log,
                Column::LastStatus,
                Column::Failure,
                Column::FinishedAt,
            ])
            .to_owned();
        Entity::insert_many(rows).on_conflict(results).exec_without_returning(db).await?;
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct State {
    subject: String,
    state: String,
}

/// Returns the state of the last event that a destination received, or will receive, about each subject.
pub async fn last_states(
    db: &impl ConnectionTrait,
    destination: Uuid,
    subjects: &[String],
) -> Result<Vec<(String, String)>, DbErr> {
    let mut states = Vec::new();
    for chunk in subjects.chunks(database::IDS_PER_STATEMENT) {
        let newest = Query::select()
            .expr(Expr::col(Column::Id).max())
            .from(Entity)
            .and_where(Column::DestinationId.eq(destination))
            .and_where(Column::Subject.is_in(chunk.iter().cloned()))
            .group_by_col(Column::Subject)
            .take();
        let rows = Entity::find()
            .filter(Column::Id.in_subquery(newest))
            .join(JoinType::InnerJoin, Relation::Event.def())
            .select_only()
            .column_as(Column::Subject, "subject")
            .column_as(event::Column::State, "state");
        let rows = rows.into_model::<State>().all(db).await?;
        states.extend(rows.into_iter().map(|row| (row.subject, row.state)));
    }
    Ok(states)
}
