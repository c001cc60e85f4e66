use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use database::{ids_where, insert_chunked};
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, QueryOrder, QuerySelect};

use super::action::AuditAction;
use crate::page as pages;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "drift_audit", rename_all = "camelCase")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: DateTime<Utc>,
    /// The id of the user, the service token or the service that acted.
    pub actor: String,
    pub action: String,
    /// `drift`, `alert`, `stack`, `rules`, or `other` for an imported action on something else.
    pub entity: String,
    pub entity_id: Uuid,
    pub from_status: Option<String>,
    pub to_status: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    pub request_id: String,
    /// The id that this service gave to the request; no client can choose it. Empty in rows of 0.1.0.
    pub own_request_id: String,
    /// Names of fields, as a JSON array.
    #[sea_orm(column_type = "Text")]
    pub changed_fields: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns the ids among `ids` that exist.
pub async fn existing(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    ids_where::<Entity>(db, Column::Id, ids, Condition::all()).await
}

/// Returns the ids among `ids` of drifts and alerts that were deleted.
pub async fn deleted(db: &impl ConnectionTrait, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    let deletions = [AuditAction::DriftDelete.into_str(), AuditAction::AlertDelete.into_str()];
    let is_deletion = Condition::all().add(Column::Action.is_in(deletions));
    ids_where::<Entity>(db, Column::EntityId, ids, is_deletion).await
}

pub async fn insert(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<(), DbErr> {
    insert_chunked(db, rows.iter().cloned().map(|row| row.into_active_model().reset_all()).collect()).await
}

/// Returns the actor that created each of these drifts. For imported drifts, that is the import.
pub async fn creators(db: &impl ConnectionTrait, drift_ids: &[Uuid]) -> Result<HashMap<Uuid, String>, DbErr> {
    let creations = [AuditAction::DriftCreate.into_str(), AuditAction::DriftImport.into_str()];
    let rows = Entity::find()
        .select_only()
        .columns([Column::EntityId, Column::Actor])
        .filter(Column::EntityId.is_in(drift_ids.iter().copied()))
        .filter(Column::Action.is_in(creations));
    Ok(rows.into_tuple::<(Uuid, String)>().all(db).await?.into_iter().collect())
}

/// Returns the rows of one drift or alert after the first `offset` ones, newest first.
pub async fn numbered_page(
    db: &impl ConnectionTrait,
    entity_id: Uuid,
    offset: u64,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let newest_first =
        of_entity(entity_id).order_by_desc(Column::At).order_by_desc(Column::Id).offset(offset);
    newest_first.limit(limit).all(db).await
}

/// Counts the rows of one drift or alert, at most up to `most`.
pub async fn count_up_to(db: &impl ConnectionTrait, entity_id: Uuid, most: u64) -> Result<u64, DbErr> {
    pages::count_up_to(db, of_entity(entity_id), Column::Id, most).await
}

/// Counts the decisions that were withdrawn since a time.
pub async fn count_reopened(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<u64, DbErr> {
    let is_reopening = Column::Action.eq(AuditAction::DriftReopen.into_str());
    Entity::find().filter(Column::At.gte(since)).filter(is_reopening).count(db).await
}

fn of_entity(entity_id: Uuid) -> Select<Entity> {
    Entity::find().filter(Column::EntityId.eq(entity_id))
}

/// Returns the rows that follow `after`, newest first.
pub async fn page(
    db: &impl ConnectionTrait,
    entity_id: Option<Uuid>,
    action: Option<&str>,
    actor: Option<&str>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let place = || Expr::tuple([Expr::col(Column::At), Expr::col(Column::Id)]);
    let older = |(at, id): (DateTime<Utc>, Uuid)| place().lt(Expr::tuple([Expr::value(at), Expr::value(id)]));
    let wanted = Condition::all()
        .add_option(entity_id.map(|id| Column::EntityId.eq(id)))
        .add_option(action.map(|action| Column::Action.eq(action)))
        .add_option(actor.map(|actor| Column::Actor.eq(actor)))
        .add_option(after.map(older));
    Entity::find()
        .filter(wanted)
        .order_by_desc(Column::At)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}
