use chrono::{DateTime, Utc};
use contracts::events::auth::EndReason;
use contracts::{AccountId, Role};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{Condition, QueryOrder, QuerySelect};

use crate::user::entity as user;

/// A service token. Its id is also the `sid` claim of the token.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_tokens", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    pub account_id: Option<AccountId>,
    /// SHA-256 of the token.
    pub token_hash: String,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revoked_reason: Option<EndReason>,
    /// Whether its subject is the creator. See [`super::personal`].
    pub is_personal: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The reason for which the token was revoked. Rows from before this column are taken for an admin's
    /// decision.
    pub fn reason(&self) -> EndReason {
        self.revoked_reason.unwrap_or(EndReason::Admin)
    }
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Revokes a token. Returns `None` if it is already revoked, so that only one of two concurrent callers gets
/// the row.
pub async fn end(
    db: &impl ConnectionTrait,
    id: Uuid,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let ended = Entity::update_many()
        .set(revoked(reason, now))
        .filter(Column::Id.eq(id))
        .filter(Column::RevokedAt.is_null())
        .exec_with_returning(db)
        .await?;
    Ok(ended.into_iter().next())
}

fn revoked(reason: EndReason, now: DateTime<Utc>) -> ActiveModel {
    let revoked_reason = Set(Some(reason));
    ActiveModel { revoked_at: Set(Some(now)), revoked_reason, ..Default::default() }
}

/// Revokes the valid tokens of a creator, or those of one name, and returns them.
pub async fn end_of(
    db: &impl ConnectionTrait,
    creator: Uuid,
    name: Option<&str>,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::update_many()
        .set(revoked(reason, now))
        .filter(Column::CreatedBy.eq(creator))
        .filter(Condition::all().add_option(name.map(|name| Column::Name.eq(name).and(machine()))))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await
}

/// Revokes the valid personal tokens of a user, or one of them, and returns them.
pub async fn end_personal_of(
    db: &impl ConnectionTrait,
    user: Uuid,
    id: Option<Uuid>,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::update_many()
        .set(revoked(reason, now))
        .filter(Column::CreatedBy.eq(user))
        .filter(Column::IsPersonal.eq(true))
        .filter(Condition::all().add_option(id.map(|id| Column::Id.eq(id))))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await
}

/// Returns the valid personal tokens of a user, oldest first.
pub async fn personal_of(
    db: &impl ConnectionTrait,
    user: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    let own = valid(now).filter(Column::CreatedBy.eq(user)).filter(Column::IsPersonal.eq(true));
    own.order_by_asc(Column::Id).all(db).await
}

/// The tokens that a user created, revoked and expired ones included, newest first.
pub async fn created_by(db: &impl ConnectionTrait, creator: Uuid, limit: u64) -> Result<Vec<Model>, DbErr> {
    let own = Entity::find().filter(Column::CreatedBy.eq(creator)).order_by_desc(Column::Id);
    own.limit(limit).all(db).await
}

/// Removes the names from the tokens that a user created. The rows stay, because the marks of revoked tokens
/// are restored from them.
pub async fn erase_names(db: &impl ConnectionTrait, creator: Uuid) -> Result<(), DbErr> {
    let erased = ActiveModel { name: Set(String::new()), ..Default::default() };
    Entity::update_many().set(erased).filter(Column::CreatedBy.eq(creator)).exec(db).await.map(drop)
}

/// Returns the time at which the newest valid token of a creator and a name was created.
pub async fn newest_of(
    db: &impl ConnectionTrait,
    creator: Uuid,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    let own = of_machines(now).filter(Column::CreatedBy.eq(creator)).filter(Column::Name.eq(name));
    own.select_only().column(Column::CreatedAt).order_by_desc(Column::Id).into_tuple().one(db).await
}

/// The ids of valid tokens whose creator is not an active admin; of personal ones, whose owner is not
/// an active engineer or admin.
pub async fn orphaned_ids(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    let active = Query::select()
        .column(user::Column::Id)
        .from(user::Entity)
        .and_where(user::Column::IsActive.eq(true))
        .take();
    let with_role = |roles: &[Role]| {
        let roles = roles.iter().copied();
        Column::CreatedBy.not_in_subquery(active.clone().and_where(user::Column::Role.is_in(roles)).take())
    };
    let of_machines = machine().and(with_role(&[Role::Admin]));
    let orphaned = valid(now).filter(of_machines.or(with_role(&[Role::Engineer, Role::Admin])));
    orphaned.select_only().column(Column::Id).into_tuple().all(db).await
}

pub async fn count_valid(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, DbErr> {
    of_machines(now).count(db).await
}

/// Deletes the tokens that expired before `before`.
pub async fn purge(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::ExpiresAt.lt(before)).exec(db).await.map(drop)
}

fn valid(now: DateTime<Utc>) -> Select<Entity> {
    Entity::find().filter(Column::RevokedAt.is_null()).filter(Column::ExpiresAt.gt(now))
}

fn machine() -> Expr {
    Column::IsPersonal.eq(false)
}

/// The valid tokens except for personal ones.
fn of_machines(now: DateTime<Utc>) -> Select<Entity> {
    valid(now).filter(machine())
}

/// Returns the valid tokens of machines after `after`, sorted by id. Ids are UUIDv7, so the oldest come first.
pub async fn page(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    of_machines(now)
        .filter(Condition::all().add_option(after.map(|id| Column::Id.gt(id))))
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Whether a valid token was created between two times.
pub async fn any_valid_of(
    db: &impl ConnectionTrait,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let created = valid(now).filter(Column::CreatedAt.between(from, to));
    created.select_only().column(Column::Id).into_tuple::<Uuid>().one(db).await.map(|id| id.is_some())
}

/// The ids of the valid tokens of machines.
pub async fn live_ids(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbErr> {
    of_machines(now).select_only().column(Column::Id).into_tuple().all(db).await
}

pub async fn record_use(db: &impl ConnectionTrait, id: Uuid, at: DateTime<Utc>) -> Result<(), DbErr> {
    let update = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(at));
    update.filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// Revoked tokens that would otherwise still be valid.
pub async fn ended(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::RevokedAt.is_not_null()).filter(Column::ExpiresAt.gt(now)).all(db).await
}
