use chrono::{DateTime, TimeDelta, Utc};
use contracts::Acr;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{IntoActiveModel, TryInsertResult};

/// The time that a person has to approve a device login, and the device to fetch its session.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// A login of a device without a browser. Its codes are derived from the id; see [`crate::device_login::codes`].
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_logins", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub user_code_hash: String,
    /// The name that the device gave itself, such as that of a computer.
    pub name: Option<String>,
    pub ip_address: String,
    /// See [`crate::login::networks::own_network`].
    pub network: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub last_polled_at: Option<DateTime<Utc>>,
    pub decided_at: Option<DateTime<Utc>>,
    pub decision: Option<DeviceDecision>,
    /// The user who decided.
    pub user_id: Option<Uuid>,
    /// The session in which the user decided.
    pub session_id: Option<Uuid>,
    /// The login epoch of the user at the time of the decision.
    pub login_epoch: Option<i64>,
    /// The strength of the session at the time of the decision.
    pub acr: Option<Acr>,
    pub amr: Option<String>,
    pub auth_time: Option<DateTime<Utc>>,
    /// The time at which the device fetched its session.
    pub used_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
pub enum DeviceDecision {
    Approved,
    Denied,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes a new row. Returns `false` if another row has its user code.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<bool, DbErr> {
    let row = row.into_active_model().reset_all();
    let inserted = Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The login with one of these hashes of a user code that waits for a decision at `now`.
pub async fn waiting(
    db: &impl ConnectionTrait,
    hashes: Vec<String>,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::UserCodeHash.is_in(hashes)).filter(is_waiting(now)).one(db).await
}

/// The number of logins of a network that wait for a decision at `now`.
pub async fn count_waiting(
    db: &impl ConnectionTrait,
    network: &str,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    Entity::find().filter(Column::Network.eq(network)).filter(is_waiting(now)).count(db).await
}

/// Writes a decision. Returns `false` if another request decided first, or the login has expired.
pub async fn decide(
    db: &impl ConnectionTrait,
    id: Uuid,
    decision: ActiveModel,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let decided = Entity::update_many().set(decision).filter(Column::Id.eq(id)).filter(is_waiting(now));
    Ok(decided.exec(db).await?.rows_affected == 1)
}

/// Records a poll. Returns `false` if the one before it is younger than `interval`.
pub async fn record_poll(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
    interval: TimeDelta,
) -> Result<bool, DbErr> {
    let is_due = Column::LastPolledAt.is_null().or(Column::LastPolledAt.lte(now - interval));
    let polled = Entity::update_many().col_expr(Column::LastPolledAt, Expr::value(now));
    let polled = polled.filter(Column::Id.eq(id)).filter(is_due).exec(db).await?;
    Ok(polled.rows_affected == 1)
}

/// Marks an approved login as used. Returns `false` if another request used it first.
pub async fn use_up(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let used = Entity::update_many().col_expr(Column::UsedAt, Expr::value(now)).filter(Column::Id.eq(id));
    let used = used.filter(Column::Decision.eq(DeviceDecision::Approved)).filter(Column::UsedAt.is_null());
    Ok(used.exec(db).await?.rows_affected == 1)
}

/// Deletes the logins that a user decided.
pub async fn delete_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}

/// Deletes the logins that have expired.
pub async fn purge(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(db).await.map(drop)
}

fn is_waiting(now: DateTime<Utc>) -> Expr {
    Column::DecidedAt.is_null().and(Column::ExpiresAt.gt(now))
}
