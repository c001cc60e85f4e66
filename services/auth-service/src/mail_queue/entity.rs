use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{FromJsonQueryResult, Iterable, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::link::entity as link;

/// A mail to send, written in the transaction that causes it. It holds no token: the token of its link is
/// derived when the mail is sent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mails", rename_all = "camelCase")]
pub struct Model {
    /// Also the Message-ID, so that a mail that is sent twice is recognized.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub template: Template,
    pub link_id: Option<Uuid>,
    pub user_id: Option<Uuid>,
    pub recipient: String,
    pub language: Option<String>,
    #[sea_orm(column_type = "Json")]
    pub content: MailContent,
    pub attempts: i64,
    /// The kind of the last failure, such as `timeout`.
    pub failure: Option<String>,
    pub created_at: DateTime<Utc>,
    /// `None` once the mail is sent, or given up.
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
}

/// The templates of `libs/mail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, IntoStaticStr)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Template {
    SignUp,
    SignUpTaken,
    ResetPassword,
    PasswordResetDone,
    VerifyEmail,
    ChangeEmail,
    EmailChanged,
    Invitation,
    LogIn,
}

/// The values of a mail besides its link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(default)]
pub struct MailContent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A mail to write.
pub struct NewMail<'a> {
    pub template: Template,
    pub link: Option<&'a link::Model>,
    pub user_id: Option<Uuid>,
    pub recipient: &'a str,
    pub language: Option<String>,
    pub content: MailContent,
}

/// Writes a mail. It is sent if the transaction commits.
pub async fn write(db: &impl ConnectionTrait, mail: NewMail<'_>, now: DateTime<Utc>) -> Result<(), DbErr> {
    let NewMail { template, link, user_id, recipient, language, content } = mail;
    let row = ActiveModel {
        id: Set(Uuid::new_v4()),
        template: Set(template),
        link_id: Set(link.map(|link| link.id)),
        user_id: Set(user_id),
        recipient: Set(recipient.into()),
        language: Set(language),
        content: Set(content),
        attempts: Set(0),
        failure: Set(None),
        created_at: Set(now),
        next_attempt_at: Set(Some(now)),
        sent_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Mails whose next attempt is due, oldest first. A template of a later version waits for that version.
pub async fn due(db: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::NextAttemptAt.lte(now))
        .filter(Column::Template.is_in(Template::iter()))
        .order_by_asc(Column::NextAttemptAt)
        .limit(limit)
        .all(db)
        .await
}

/// Claims an attempt until `until`, when another attempt is due if this process dies. Returns `false` if another
/// replica was first.
pub async fn claim(db: &impl ConnectionTrait, mail: &Model, until: DateTime<Utc>) -> Result<bool, DbErr> {
    let claimed = Entity::update_many()
        .col_expr(Column::Attempts, Column::Attempts.into_expr().add(1))
        .col_expr(Column::NextAttemptAt, Expr::value(until))
        .filter(Column::Id.eq(mail.id))
        .filter(Column::Attempts.eq(mail.attempts))
        .filter(Column::NextAttemptAt.is_not_null())
        .exec(db)
        .await?;
    Ok(claimed.rows_affected == 1)
}

pub async fn set_sent(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<(), DbErr> {
    let sent = ActiveModel {
        sent_at: Set(Some(now)),
        next_attempt_at: Set(None),
        failure: Set(None),
        ..Default::default()
    };
    set(db, id, sent).await
}

/// Records a failed attempt. Without a `next` attempt, the mail is given up.
pub async fn set_failed(
    db: &impl ConnectionTrait,
    id: Uuid,
    failure: &str,
    next: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let failure = Set(Some(failure.into()));
    set(db, id, ActiveModel { failure, next_attempt_at: Set(next), ..Default::default() }).await
}

/// Writes columns, unless the row was deleted with its user in the meantime.
async fn set(db: &impl ConnectionTrait, id: Uuid, change: ActiveModel) -> Result<(), DbErr> {
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await.map(drop)
}

/// Notes the user whom the link of a mail created.
pub async fn set_user(db: &impl ConnectionTrait, link_id: Uuid, user_id: Uuid) -> Result<(), DbErr> {
    let change = ActiveModel { user_id: Set(Some(user_id)), ..Default::default() };
    Entity::update_many().set(change).filter(Column::LinkId.eq(link_id)).exec(db).await.map(drop)
}

/// The number of mails that wait, and the time at which the oldest was written.
pub async fn backlog(db: &impl ConnectionTrait) -> Result<(u64, Option<DateTime<Utc>>), DbErr> {
    let waiting = Entity::find().filter(Column::NextAttemptAt.is_not_null());
    let oldest = waiting.clone().order_by_asc(Column::CreatedAt).one(db).await?;
    Ok((waiting.count(db).await?, oldest.map(|mail| mail.created_at)))
}

/// Deletes the mails that were written before `before` and no longer wait.
pub async fn purge(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<(), DbErr> {
    let old = Entity::delete_many().filter(Column::CreatedAt.lt(before));
    old.filter(Column::NextAttemptAt.is_null()).exec(db).await.map(drop)
}

/// The delay before the attempt after `attempts` failed ones: 5 s, doubled each time, at most 30 minutes.
pub fn backoff(attempts: i64) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).clamp(0, 16);
    TimeDelta::seconds(5 << doublings).min(TimeDelta::minutes(30))
}
