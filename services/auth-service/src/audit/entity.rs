use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect};

use crate::audit::action::Action;

const BATCH: usize = 500;

/// One authentication event. Rows never change, except that they lose their address when the user is deleted.
/// Rows of [`Action::FREQUENT`] actions are deleted after the retention period.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_logs", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// An [`Action`].
    pub action: String,
    /// The affected user; `None` if no account matched.
    pub user_id: Option<Uuid>,
    /// The acting user; `None` if it is the affected user.
    pub actor_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    /// Never free text: the reason why a session or a service token ended, a user's new role and state and
    /// the names of further fields that changed, the scope of a lock, `repeated` for a repeated refresh, or
    /// `personal` for a new token of a person.
    pub detail: Option<String>,
    pub ip_address: Option<String>,
    pub created_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row of a user who was imported.
pub fn of_import(user_id: Uuid, at: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        action: Set(Action::UserImported.into_str().into()),
        user_id: Set(Some(user_id)),
        actor_id: Set(None),
        session_id: Set(None),
        detail: Set(None),
        ip_address: Set(None),
        created_at: Set(at),
        ..Default::default()
    }
}

/// Returns the rows before `before`, newest first.
pub async fn page(
    db: &impl ConnectionTrait,
    user_id: Option<Uuid>,
    action: Option<&str>,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let wanted = Condition::all()
        .add_option(user_id.map(|id| Column::UserId.eq(id)))
        .add_option(action.map(|action| Column::Action.eq(action)))
        .add_option(before.map(|id| Column::Id.lt(id)));
    Entity::find().filter(wanted).order_by_desc(Column::Id).limit(limit).all(db).await
}

/// Removes the addresses from all rows about a user, and from those of the changes that the user made.
pub async fn erase_addresses(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), DbErr> {
    // One statement for each column, so that each uses its index.
    for column in [Column::UserId, Column::ActorId] {
        let erased = ActiveModel { ip_address: Set(None), ..Default::default() };
        Entity::update_many().set(erased).filter(column.eq(user_id)).exec(db).await?;
    }
    Ok(())
}

/// Deletes the rows of an action that are older than `before`. Ids rise with time, so the search starts at
/// the oldest row and reads at most one batch more than it deletes.
pub async fn purge(db: &impl ConnectionTrait, action: Action, before: DateTime<Utc>) -> Result<(), DbErr> {
    loop {
        let oldest = Entity::find().filter(Column::Action.eq(action.into_str())).order_by_asc(Column::Id);
        let oldest = oldest.select_only().columns([Column::Id, Column::CreatedAt]).limit(BATCH as u64);
        let oldest: Vec<(i64, DateTime<Utc>)> = oldest.into_tuple().all(db).await?;
        let old = oldest.into_iter().take_while(|(_, at)| *at < before).map(|(id, _)| id).collect::<Vec<_>>();
        let is_last = old.len() < BATCH;
        Entity::delete_many().filter(Column::Id.is_in(old)).exec(db).await?;
        if is_last {
            return Ok(());
        }
    }
}
