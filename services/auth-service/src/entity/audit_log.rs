use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect};

use crate::audit::Action;

const BATCH: usize = 500;

/// One authentication event. Rows never change; those of [`Action::FREQUENT`] are forgotten in time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_logs", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// An [`Action`].
    pub action: String,
    /// Whom it concerns; absent where nobody was found.
    pub user_id: Option<Uuid>,
    /// Who did it, where it is somebody else.
    pub actor_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    /// Why a session ended, what became of a role, that a refresh gave a token once more: never free
    /// text.
    pub detail: Option<String>,
    pub ip_address: Option<String>,
    pub created_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The newest first, those before `before`.
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

/// Forgets the rows of that action from before `before`. Ids rise with time, so it reads no further than
/// it deletes, and one batch.
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
