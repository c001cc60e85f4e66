use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect};

/// One authentication event. Rows are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_logs", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// An [`crate::audit::Action`].
    pub action: String,
    /// Whom it concerns; absent where nobody was found.
    pub user_id: Option<Uuid>,
    /// Who did it, where it is somebody else.
    pub actor_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    /// Why a session ended, what became of a role: never free text.
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
