use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::auth::EndReason;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{QueryOrder, QuerySelect};

use crate::session::device::Device;
use crate::session::lifetime::Lifetime;
use crate::token::rotation::Rotation;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// A MAC that identifies the session and is not a credential.
    #[sea_orm(unique)]
    pub session_token: String,
    #[sea_orm(column_type = "Json")]
    pub device_info: Device,
    pub ip_address: String,
    #[sea_orm(column_type = "Json")]
    pub rotation: Rotation,
    pub last_activity: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revoked_reason: Option<EndReason>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            created_at: self.created_at,
            last_activity: self.last_activity,
            expires_at: self.expires_at,
        }
    }

    /// Whether the session is neither revoked nor expired.
    pub fn is_live(&self, now: DateTime<Utc>, idle_timeout: TimeDelta) -> bool {
        self.revoked_at.is_none() && self.lifetime().over(now, idle_timeout).is_none()
    }

    /// Whether activity at `now` is recorded, which happens once in each interval.
    pub fn is_stale(&self, now: DateTime<Utc>, interval: TimeDelta) -> bool {
        now - self.last_activity >= interval
    }

    /// Whether a repeated refresh at `now` writes to the session or to the audit log.
    pub fn is_write_due(&self, now: DateTime<Utc>, interval: TimeDelta) -> bool {
        self.is_stale(now, interval) || self.rotation.is_audit_due(now, interval)
    }
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The sessions of a user that are not marked as ended, most recently active first. Some may have expired.
pub async fn open_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::RevokedAt.is_null())
        .order_by_desc(Column::LastActivity)
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// Expired sessions that are not yet marked as ended.
pub async fn overdue(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    idle_timeout: TimeDelta,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.lte(now).or(Column::LastActivity.lte(now - idle_timeout)))
        .order_by_asc(Column::LastActivity)
        .limit(limit)
        .all(db)
        .await
}

/// Sessions that ended at or after `since`, with the time and the reason.
pub async fn ended_since(
    db: &impl ConnectionTrait,
    since: DateTime<Utc>,
) -> Result<Vec<(Uuid, DateTime<Utc>, EndReason)>, DbErr> {
    let rows: Vec<(Uuid, DateTime<Utc>, Option<EndReason>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::RevokedAt, Column::RevokedReason])
        .filter(Column::RevokedAt.gte(since))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(id, at, reason)| (id, at, reason.unwrap_or(EndReason::Admin))).collect())
}

/// The sessions of a user, ended ones included, newest first.
pub async fn newest_of(db: &impl ConnectionTrait, user_id: Uuid, limit: u64) -> Result<Vec<Model>, DbErr> {
    let own = Entity::find().filter(Column::UserId.eq(user_id)).order_by_desc(Column::CreatedAt);
    own.order_by_asc(Column::Id).limit(limit).all(db).await
}

/// Removes the addresses and devices from the sessions of a user. The rows stay, because the marks of ended
/// sessions are restored from them.
pub async fn erase_origins(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    let erased = ActiveModel {
        ip_address: Set(String::new()),
        device_info: Set(Device::default()),
        ..Default::default()
    };
    Entity::update_many().set(erased).filter(Column::UserId.eq(user_id)).exec(db).await.map(drop)
}

pub async fn count_open(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    Entity::find().filter(Column::RevokedAt.is_null()).count(db).await
}

/// Deletes the sessions that ended before `before`. Returns their number.
pub async fn purge(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    Ok(Entity::delete_many().filter(Column::RevokedAt.lt(before)).exec(db).await?.rows_affected)
}
