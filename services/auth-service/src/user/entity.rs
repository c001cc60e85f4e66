use std::fmt;

use chrono::{DateTime, Utc};
use contracts::{AccountId, Role};
use database::{contains, text_contains};
use identity::UserChange;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{Condition, QueryOrder, QuerySelect};

use crate::user::email::Email;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    /// In the canonical form of [`Email`].
    #[sea_orm(unique)]
    pub email: String,
    /// The stored form of the password, which never leaves this service; see [`crate::password`].
    pub password: String,
    pub role: Role,
    pub is_active: bool,
    pub account_id: Option<AccountId>,
    /// Incremented by each change that outdates the user's access tokens.
    pub generation: i64,
    /// Incremented whenever all sessions of the user, or all but one, are ended. A login that began in an
    /// earlier epoch opens no session.
    pub login_epoch: i64,
    /// Lower-cased name and email, for the admins' search. Empty in rows of the old stack.
    pub search: String,
    /// `None` if the user never proved that they receive mail at [`Model::email`].
    pub email_verified_at: Option<DateTime<Utc>>,
    /// The time at which the account was deleted. The row stays without personal data, because audit rows and
    /// revocation marks refer to it.
    pub deleted_at: Option<DateTime<Utc>>,
    /// A name of the IANA time zone database.
    pub time_zone: Option<String>,
    /// A BCP 47 tag, such as `de` or `pt-BR`.
    pub language: Option<String>,
    /// The notification preferences as a JSON object, which the pages of the user interpret.
    pub notifications: Option<String>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub last_activity_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The state of the user that other services need.
    pub fn as_change(&self) -> UserChange {
        let Self { generation, role, is_active, account_id, .. } = self.clone();
        UserChange { generation, role, is_active, account_id }
    }
}

/// The value of [`Model::search`] for a user.
pub fn search_text(name: &str, email: &impl fmt::Display) -> String {
    format!("{} {email}", name.to_lowercase())
}

/// Users that were not deleted. Only [`changed_since`] also returns deleted ones.
fn existing() -> Select<Entity> {
    Entity::find().filter(Column::DeletedAt.is_null())
}

pub async fn by_email(db: &impl ConnectionTrait, email: &Email) -> Result<Option<Model>, DbErr> {
    existing().filter(Column::Email.eq(email.as_str())).one(db).await
}

pub async fn by_id(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    existing().filter(Column::Id.eq(id)).one(db).await
}

/// Reads the row and locks it until the transaction ends. SQLite locks the whole database instead. Nobody
/// can lock, and so change, a deleted user.
pub async fn lock(transaction: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, DbErr> {
    existing().filter(Column::Id.eq(id)).lock_exclusive().one(transaction).await
}

/// Locks the rows of all active admins in the order of their ids. Returns the ids.
pub async fn lock_active_admins(transaction: &impl ConnectionTrait) -> Result<Vec<Uuid>, DbErr> {
    let admins = existing()
        .filter(Column::Role.eq(Role::Admin))
        .filter(Column::IsActive.eq(true))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    Ok(admins.into_iter().map(|admin| admin.id).collect())
}

/// The users to list. A field that is `None` excludes nobody.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// A part of the name or the email.
    pub q: Option<String>,
    pub role: Option<Role>,
    pub is_active: Option<bool>,
    /// Whether the email is verified.
    pub verified: Option<bool>,
}

/// Returns the users after `after`, sorted by email.
pub async fn page(
    db: &impl ConnectionTrait,
    filter: UserFilter,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let UserFilter { q, role, is_active, verified } = filter;
    let containing =
        q.map(|q| Condition::any().add(contains(Column::Search, &q)).add(contains(Column::Email, &q)));
    let is_verified = verified.map(|verified| Column::EmailVerifiedAt.is_null().eq(!verified));
    let wanted = Condition::all()
        .add_option(containing)
        .add_option(role.map(|role| Column::Role.eq(role)))
        .add_option(is_active.map(|is_active| Column::IsActive.eq(is_active)))
        .add_option(is_verified)
        .add_option(after.map(|email| Column::Email.gt(email)));
    existing().filter(wanted).order_by_asc(Column::Email).limit(limit).all(db).await
}

/// The ids and names of those users that exist, sorted by name.
pub async fn names_of(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<(Uuid, String)>, DbErr> {
    names(existing().filter(Column::Id.is_in(ids))).into_tuple().all(db).await
}

/// Returns the ids and names after `after`, sorted by name. With `q`, only names that contain `q`.
pub async fn page_of_names(
    db: &impl ConnectionTrait,
    q: Option<&str>,
    after: Option<(String, Uuid)>,
    limit: u64,
) -> Result<Vec<(Uuid, String)>, DbErr> {
    let containing = q.map(|q| {
        // SQLite lower-cases only ASCII, so the search text is needed. Without the address: nobody may find out
        // the address of another person by searching for its parts.
        let search = [Expr::col(Column::Search), Expr::col(Column::Email), Expr::value("")];
        let lower_name = Func::cust("replace").args(search);
        let name = Func::lower(Expr::col(Column::Name));
        Condition::any().add(text_contains(lower_name.into(), q)).add(text_contains(name.into(), q))
    });
    let following = after.map(|(name, id)| {
        let same_name = Column::Name.eq(name.clone()).and(Column::Id.gt(id));
        Condition::any().add(Column::Name.gt(name)).add(same_name)
    });
    let wanted = Condition::all().add_option(containing).add_option(following);
    names(existing().filter(wanted)).limit(limit).into_tuple().all(db).await
}

fn names(users: Select<Entity>) -> Select<Entity> {
    let names = users.select_only().columns([Column::Id, Column::Name]);
    names.order_by_asc(Column::Name).order_by_asc(Column::Id)
}

/// Users whose access tokens were outdated by a change at or after `since`, deleted ones included.
pub async fn changed_since(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Generation.gt(0)).filter(Column::UpdatedAt.gte(since)).all(db).await
}
