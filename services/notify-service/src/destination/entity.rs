use chrono::{DateTime, TimeDelta, Utc};
use database::Transaction;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, LockBehavior, LockType};
use sea_orm::{ActiveValue::Set, IntoActiveModel, QueryOrder, QuerySelect};

use super::rules::Rules;
use super::schedule::Schedule;
use super::target::Kind;

/// A place that receives notifications, with its rules and the state of its deliveries.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notify_destinations", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub kind: Kind,
    /// The [`super::target::Target`], encrypted.
    #[sea_orm(column_type = "Text")]
    pub target: String,
    /// The part of the target that people may see.
    pub shown: String,
    /// The [`super::signing::SigningSecrets`] of a webhook, encrypted.
    #[sea_orm(column_type = "Text", nullable)]
    pub signing: Option<String>,
    #[sea_orm(column_type = "Json")]
    pub rules: Rules,
    #[sea_orm(column_type = "Json")]
    pub schedule: Schedule,
    #[sea_orm(column_type = "Text", nullable)]
    pub template: Option<String>,
    pub is_enabled: bool,
    /// Incremented by every change of the settings. Sent as the ETag.
    pub version: i32,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub updated_by: String,
    pub updated_at: DateTime<Utc>,
    /// The time at which a delivery is due; `None` if none waits.
    pub due_at: Option<DateTime<Utc>>,
    /// The process that delivers to it until then. A process that dies keeps it no longer.
    pub leased_by: Option<Uuid>,
    pub leased_until: Option<DateTime<Utc>>,
    /// Number of failed attempts since the last success.
    pub failures: i32,
    pub failing_since: Option<DateTime<Utc>>,
    pub last_failure: Option<String>,
    /// No attempt is made before this time.
    pub blocked_until: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether deliveries that were held back are sent as one message. A pager gets each of its own.
    pub fn sends_digests(&self) -> bool {
        self.kind != Kind::Pagerduty
            && self.schedule.unless_received_seconds.is_none()
            && (self.schedule.digest_minutes.is_some() || self.schedule.quiet_hours.is_some())
    }
}

/// Returns all destinations in the order of their names.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Name).order_by_asc(Column::Id).all(db).await
}

/// The part of a destination that decides on what it receives.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Wanting {
    pub id: Uuid,
    pub version: i32,
    pub rules: Rules,
    pub schedule: Schedule,
    pub created_at: DateTime<Utc>,
}

/// Returns the destinations that receive events.
pub async fn wanting(db: &impl ConnectionTrait) -> Result<Vec<Wanting>, DbErr> {
    let enabled = Entity::find().filter(Column::IsEnabled.eq(true)).order_by_asc(Column::Id);
    enabled.into_partial_model().all(db).await
}

pub async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().count(db).await
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Reads a destination and locks it until the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// Reads destinations in the order of their ids, and locks them until the transaction ends.
pub async fn lock_all(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>, DbErr> {
    let these = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).order_by_asc(Column::Id);
    these.lock_exclusive().all(db).await
}

pub async fn insert(db: &impl ConnectionTrait, destination: Model) -> Result<(), DbErr> {
    Entity::insert(destination.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

pub async fn update(db: &impl ConnectionTrait, id: Uuid, change: ActiveModel) -> Result<(), DbErr> {
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Changes a destination that still has this version.
pub async fn update_if(
    db: &impl ConnectionTrait,
    id: Uuid,
    version: i32,
    change: ActiveModel,
) -> Result<(), DbErr> {
    let unchanged = Column::Id.eq(id).and(Column::Version.eq(version));
    Entity::update_many().set(change).filter(unchanged).exec(db).await?;
    Ok(())
}

pub async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// Notes that deliveries to these destinations are due at a time, unless others are due earlier.
pub async fn wake(db: &impl ConnectionTrait, ids: &[Uuid], at: DateTime<Utc>) -> Result<(), DbErr> {
    for chunk in ids.chunks(database::IDS_PER_STATEMENT) {
        let later = Column::DueAt.is_null().or(Column::DueAt.gt(at));
        Entity::update_many()
            .col_expr(Column::DueAt, Expr::value(at))
            .filter(Column::Id.is_in(chunk.iter().copied()).and(later))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Leases destinations with due deliveries to a process, at most `limit`, without those that it has `in_hand`. No other
/// process has them until `now + lease`.
pub async fn lease(
    tx: &Transaction,
    process: Uuid,
    in_hand: &[Uuid],
    now: DateTime<Utc>,
    lease: TimeDelta,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let is_due = Column::DueAt
        .lte(now)
        .and(Column::IsEnabled.eq(true))
        .and(Column::BlockedUntil.is_null().or(Column::BlockedUntil.lte(now)))
        .and(Column::LeasedUntil.is_null().or(Column::LeasedUntil.lte(now)))
        .and(Column::Id.is_not_in(in_hand.iter().copied()));
    let due = Entity::find().filter(is_due).order_by_asc(Column::DueAt).limit(limit);
    // Waits for no other transaction: what one is changing at the moment is leased the next time.
    let mut due = due.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).all(tx).await?;
    let until = now + lease;
    Entity::update_many()
        .col_expr(Column::LeasedBy, Expr::value(process))
        .col_expr(Column::LeasedUntil, Expr::value(until))
        .filter(Column::Id.is_in(due.iter().map(|destination| destination.id)))
        .exec(tx)
        .await?;
    for destination in &mut due {
        destination.leased_until = Some(until);
    }
    Ok(due)
}

/// Ends leases of a process.
pub async fn release(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
    process: Uuid,
    due_at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        due_at: Set(due_at),
        leased_by: Set(None),
        leased_until: Set(None),
        ..Default::default()
    };
    let of_process = Column::Id.is_in(ids.iter().copied()).and(Column::LeasedBy.eq(process));
    Entity::update_many().set(row).filter(of_process).exec(db).await?;
    Ok(())
}

/// The change of a destination that works, or shall be tried as if it did.
pub fn healthy() -> ActiveModel {
    ActiveModel {
        failures: Set(0),
        failing_since: Set(None),
        last_failure: Set(None),
        blocked_until: Set(None),
        ..Default::default()
    }
}

/// Ends all leases of a process that stops.
pub async fn release_all(db: &impl ConnectionTrait, process: Uuid) -> Result<(), DbErr> {
    let row = ActiveModel { leased_by: Set(None), leased_until: Set(None), ..Default::default() };
    Entity::update_many().set(row).filter(Column::LeasedBy.eq(process)).exec(db).await?;
    Ok(())
}

/// Returns the number of destinations with so many failures in a row, or that were switched off because they are gone.
pub async fn count_failing(db: &impl ConnectionTrait, failures: i32) -> Result<u64, DbErr> {
    let is_gone = Column::IsEnabled.eq(false).and(Column::Failures.gt(0));
    let failing = Column::IsEnabled.eq(true).and(Column::Failures.gte(failures)).or(is_gone);
    Entity::find().filter(failing).count(db).await
}
