//! The table of watchers and its queries.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use database::{IDS_PER_STATEMENT, insert_chunked};
use identity::service_token_id;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, SelectStatement};
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect, QueryTrait};

/// Maximum number of watchers of a drift.
pub const MOST: i64 = 100;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drift_watchers", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub drift_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    pub since: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns the ids of the watchers of a drift, the first one first.
pub async fn of_drift(db: &impl ConnectionTrait, drift_id: Uuid) -> Result<Vec<String>, DbErr> {
    let watchers = Entity::find().filter(Column::DriftId.eq(drift_id)).order_by_asc(Column::Since);
    let ids = watchers.order_by_asc(Column::UserId).select_only().column(Column::UserId);
    ids.into_tuple().all(db).await
}

/// Selects the ids of the drifts that a person watches.
pub fn drifts_of(user_id: &str) -> SelectStatement {
    Entity::find().select_only().column(Column::DriftId).filter(Column::UserId.eq(user_id)).into_query()
}

/// Makes a person a watcher of drifts, except of those that have the maximum number of watchers. A service token
/// watches nothing.
pub async fn add_person(
    db: &impl ConnectionTrait,
    drift_ids: &[Uuid],
    user_id: &str,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    if service_token_id(user_id).is_some() {
        return Ok(());
    }
    for chunk in drift_ids.chunks(IDS_PER_STATEMENT) {
        let full = full(db, chunk).await?;
        let free = chunk.iter().filter(|id| !full.contains(id));
        let rows = free.map(|id| Model { drift_id: *id, user_id: user_id.into(), since: at });
        let rows: Vec<ActiveModel> = rows.map(|row| row.into_active_model().reset_all()).collect();
        Entity::insert_many(rows).on_conflict_do_nothing().exec_without_returning(db).await?;
    }
    Ok(())
}

/// Deletes a watcher. A repetition changes nothing.
pub async fn remove(db: &impl ConnectionTrait, drift_id: Uuid, user_id: &str) -> Result<(), DbErr> {
    Entity::delete_by_id((drift_id, user_id.to_owned())).exec(db).await?;
    Ok(())
}

/// Makes the watchers of one drift watchers of another one, for each pair.
pub async fn hand_on(db: &impl ConnectionTrait, pairs: &[(Uuid, Uuid)]) -> Result<(), DbErr> {
    for chunk in pairs.chunks(IDS_PER_STATEMENT) {
        let of_these = Entity::find().filter(Column::DriftId.is_in(chunk.iter().map(|(from, _)| *from)));
        let watchers = of_these.all(db).await?;
        let successors: HashMap<Uuid, Uuid> = chunk.iter().copied().collect();
        let to = |watcher: Model| {
            let drift_id = *successors.get(&watcher.drift_id)?;
            Some(Model { drift_id, ..watcher }.into_active_model().reset_all())
        };
        insert_chunked(db, watchers.into_iter().filter_map(to).collect::<Vec<ActiveModel>>()).await?;
    }
    Ok(())
}

/// Returns the drifts among `ids` that have the maximum number of watchers.
async fn full(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    let counted = Entity::find()
        .select_only()
        .column(Column::DriftId)
        .filter(Column::DriftId.is_in(ids.iter().copied()))
        .group_by(Column::DriftId)
        .having(Expr::col(Asterisk).count().gte(MOST));
    Ok(counted.into_tuple::<Uuid>().all(db).await?.into_iter().collect())
}
