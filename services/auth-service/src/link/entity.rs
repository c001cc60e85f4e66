use chrono::{DateTime, TimeDelta, Utc};
use contracts::{AccountId, Role};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{FromJsonQueryResult, Iterable, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::link::refusal::LinkRefusal;
use crate::user::email::Email;

/// Maximum number of codes that may be tried for one link.
pub const MAX_CODES: i64 = 5;

/// A one-time link. Its token is derived from the id; see [`crate::link::token`].
///
/// A row exists for each request, whether or not the address has an account, so that all requests do the same
/// work. [`crate::link::prepare`] decides whether a mail follows.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "links", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub purpose: Purpose,
    /// `None` if there is no user yet, or none was found.
    pub user_id: Option<Uuid>,
    /// The admin who sent the invitation.
    pub invited_by: Option<Uuid>,
    /// The address that the link is sent to, in the canonical form of [`Email`].
    pub email: String,
    #[sea_orm(column_type = "Json")]
    pub content: Content,
    /// The network of the request; `None` for requests of admins and of this service.
    pub network: Option<String>,
    /// The number of codes that were tried.
    pub wrong_codes: i64,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// The time at which the mail was written, or the request turned out to need none.
    pub prepared_at: Option<DateTime<Utc>>,
    pub used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The purpose of a link. A link serves no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, IntoStaticStr)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Purpose {
    SignUp,
    ResetPassword,
    VerifyEmail,
    ChangeEmail,
    UndoEmail,
    Invitation,
    LogIn,
}

/// The values that the completion of a link needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct Content {
    /// The name of the user to create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hashed password of the user to create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Purpose {
    pub fn lifetime(self) -> TimeDelta {
        match self {
            Self::LogIn => TimeDelta::minutes(15),
            Self::ResetPassword => TimeDelta::hours(1),
            Self::SignUp | Self::VerifyEmail | Self::ChangeEmail => TimeDelta::hours(24),
            Self::UndoEmail => TimeDelta::hours(72),
            Self::Invitation => TimeDelta::days(7),
        }
    }
}

impl Model {
    /// Checks that the link can be used at `now`.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), LinkRefusal> {
        if self.used_at.is_some() {
            Err(LinkRefusal::Used)
        } else if self.revoked_at.is_some() {
            Err(LinkRefusal::Revoked)
        } else if self.expires_at <= now {
            Err(LinkRefusal::Expired)
        } else {
            Ok(())
        }
    }
}

/// Builds a row that waits for its preparation.
pub fn new(
    purpose: Purpose,
    user_id: Option<Uuid>,
    email: &Email,
    content: Content,
    network: Option<String>,
    now: DateTime<Utc>,
) -> Model {
    Model {
        // Holds the time, so that the id of a request without an account expires as others do.
        id: Uuid::now_v7(),
        purpose,
        user_id,
        invited_by: None,
        email: email.as_str().into(),
        content,
        network,
        wrong_codes: 0,
        created_at: now,
        expires_at: now + purpose.lifetime(),
        prepared_at: None,
        used_at: None,
        revoked_at: None,
    }
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The newest invitation to an address that can still be used at `now`.
pub async fn open_invitation(
    db: &impl ConnectionTrait,
    email: &Email,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Email.eq(email.as_str()))
        .filter(Column::Purpose.eq(Purpose::Invitation))
        .filter(Column::UsedAt.is_null().and(Column::RevokedAt.is_null()))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::Id)
        .one(db)
        .await
}

/// The newest change of a user's address that can still be confirmed at `now`.
pub async fn open_change(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.eq(Purpose::ChangeEmail))
        .filter(Column::UsedAt.is_null().and(Column::RevokedAt.is_null()))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::Id)
        .one(db)
        .await
}

/// Rows that wait for their preparation, oldest first. A purpose of a later version waits for that version.
pub async fn unprepared(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Model>, DbErr> {
    let known = Column::Purpose.is_in(Purpose::iter());
    Entity::find()
        .filter(Column::PreparedAt.is_null())
        .filter(known)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Claims the preparation of a row. Returns `false` if another replica was first.
pub async fn claim(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let claim = ActiveModel { prepared_at: Set(Some(now)), ..Default::default() };
    let claim = Entity::update_many().set(claim).filter(Column::Id.eq(id));
    let claimed = claim.filter(Column::PreparedAt.is_null()).exec(db).await?;
    Ok(claimed.rows_affected == 1)
}

/// Counts one try of a code. Returns `false` if all tries are used up.
pub async fn count_code(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let counted = Entity::update_many()
        .col_expr(Column::WrongCodes, Column::WrongCodes.into_expr().add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::WrongCodes.lt(MAX_CODES))
        .exec(db)
        .await?;
    Ok(counted.rows_affected == 1)
}

/// Marks a link as used. Fails if another request used or revoked it first.
pub async fn use_up(db: &impl ConnectionTrait, link: &Model, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let used = ActiveModel { used_at: Set(Some(now)), ..Default::default() };
    let used = Entity::update_many().set(used).filter(Column::Id.eq(link.id));
    let used = used.filter(Column::UsedAt.is_null().and(Column::RevokedAt.is_null())).exec(db).await?;
    Ok(used.rows_affected == 1)
}

/// Whether an address may go back to its earlier owner: it belongs to no other user as long as the link that
/// undoes the change is open.
pub async fn is_reserved(
    db: &impl ConnectionTrait,
    email: &str,
    user_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let undo = Entity::find()
        .filter(Column::Email.eq(email))
        .filter(Column::Purpose.eq(Purpose::UndoEmail))
        .filter(Column::UsedAt.is_null().and(Column::RevokedAt.is_null()))
        .filter(Column::ExpiresAt.gt(now));
    let undo = undo.all(db).await?;
    Ok(undo.iter().any(|link| link.user_id != user_id))
}

/// Deletes the links that expired before `before`, and the invitations before `invitations_before`, which admins
/// see and send again.
pub async fn purge(
    db: &impl ConnectionTrait,
    before: DateTime<Utc>,
    invitations_before: DateTime<Utc>,
) -> Result<(), DbErr> {
    let others = Column::Purpose.ne(Purpose::Invitation).and(Column::ExpiresAt.lt(before));
    let old = others.or(Column::ExpiresAt.lt(invitations_before));
    Entity::delete_many().filter(old).exec(db).await.map(drop)
}

/// Notes the user whom the address of a link belongs to.
pub async fn set_user(db: &impl ConnectionTrait, id: Uuid, user_id: Option<Uuid>) -> Result<(), DbErr> {
    let found = ActiveModel { user_id: Set(user_id), ..Default::default() };
    Entity::update_many().set(found).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// Notes the user whom a link created, and erases the hash of the password, which is in the user's row now.
pub async fn set_created(db: &impl ConnectionTrait, link: &Model, user_id: Uuid) -> Result<(), DbErr> {
    let content = Content { password: None, ..link.content.clone() };
    let created = ActiveModel { user_id: Set(Some(user_id)), content: Set(content), ..Default::default() };
    Entity::update_many().set(created).filter(Column::Id.eq(link.id)).exec(db).await.map(drop)
}
