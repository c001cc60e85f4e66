//! Changing and deleting stacks.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::drift::ResolvedHow;
use contracts::events::stack::StackDeleted;
use http::openapi::{Done, Success};
use http::{Admin, ApiError, Engineer, NoQuery, ValidJson, ValidPath};
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::entity::{self, ActiveModel, Model};
use super::labels::are_labels;
use super::name::checked_name;
use super::progress::settle;
use super::view::{StackView, views};
use super::{cadence, scope};
use crate::audit::{self, AuditAction, Record, Subject};
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write, present};
use crate::{State, alert, drift, scans};

const SHORTEST_SECONDS: i64 = 60;

/// A change of a stack. Absent fields stay, `null` removes.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StackChange {
    /// The person or team that answers for the stack
    #[serde(default, deserialize_with = "present")]
    #[validate(length(min = 1, max = 255), custom(function = "storable"))]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    owner: Option<Option<String>>,
    /// At most 20. Keys and values have 1 to 63 letters, digits, `.`, `_`, `/` or `-`
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "are_labels"))]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    labels: Option<Option<BTreeMap<String, String>>>,
    /// The interval between scans in seconds, from one minute to 366 days; `null` learns it from the scans
    #[serde(default, deserialize_with = "present")]
    #[validate(range(min = SHORTEST_SECONDS, max = cadence::LONGEST.num_seconds()))]
    #[schema(value_type = Option<i64>, minimum = 60, maximum = 31_622_400)]
    cadence_seconds: Option<Option<i64>>,
}

impl StackChange {
    fn changed_fields(&self) -> Vec<&'static str> {
        [
            ("owner", self.owner.is_some()),
            ("labels", self.labels.is_some()),
            ("cadenceSeconds", self.cadence_seconds.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_changed)| is_changed.then_some(name))
        .collect()
    }
}

/// Changes the owner, the labels or the cadence of a stack.
#[utoipa::path(patch, path = "/api/v1/stacks/{name}", tag = "stacks", params(("name" = String, Path)),
    request_body = StackChange, responses((status = 200, body = Success<StackView>), (status = 404)),
    security(("bearer" = ["engineer"])))]
pub async fn update_stack(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(name): ValidPath<String>,
    conditions: Conditions,
    ValidJson(change): ValidJson<StackChange>,
) -> Result<HttpResponse, ApiError> {
    let name = checked_name(name)?;
    let audience = caller.role.into();
    let request = serde_json::to_vec(&change).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        let stack = change_locked(write, &state, &name, change).await?;
        let view = views(&state, &write.tx, vec![stack], audience).await?.pop();
        Ok(Reply::ok(view))
    })
    .await
}

async fn change_locked(
    write: &mut Write,
    state: &State,
    name: &str,
    change: StackChange,
) -> Result<Model, DriftError> {
    let mut stack = lock(write, name).await?;
    let changed_fields = change.changed_fields();
    if changed_fields.is_empty() {
        return Ok(stack);
    }
    if let Some(owner) = change.owner {
        stack.owner = owner.map(|owner| state.redacted(&owner));
    }
    if let Some(labels) = change.labels {
        stack.labels = serde_json::to_string(&labels.unwrap_or_default())?;
    }
    stack.cadence_seconds = change.cadence_seconds.unwrap_or(stack.cadence_seconds);
    let row = ActiveModel {
        owner: Set(stack.owner.clone()),
        labels: Set(stack.labels.clone()),
        cadence_seconds: Set(stack.cadence_seconds),
        ..Default::default()
    };
    entity::update(&write.tx, stack.id, row).await?;
    let record = Record { changed_fields, ..Record::new(Subject::Stack(stack.id), AuditAction::StackUpdate) };
    audit::record(&write.tx, &write.actor, write.at, vec![record]).await?;
    settle(&mut write.tx, &stack, &write.actor, write.at).await?;
    entity::by_name(&write.tx, name).await?.ok_or(DriftError::NotFound("stack"))
}

/// Deletes a stack with its scans, and resolves its drifts.
#[utoipa::path(delete, path = "/api/v1/stacks/{name}", tag = "stacks", params(("name" = String, Path)),
    responses((status = 200, body = Done), (status = 404)),
    security(("bearer" = ["admin"])))]
pub async fn delete_stack(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    ValidPath(name): ValidPath<String>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    let name = checked_name(name)?;
    write::once(&state, caller, &conditions, b"", async |write| {
        delete_locked(write, &name).await?;
        Ok(Reply::ok(()))
    })
    .await
}

async fn delete_locked(write: &mut Write, name: &str) -> Result<(), DriftError> {
    let stack = lock(write, name).await?;
    let live = drift::live::lock_live(&write.tx, name).await?;
    let ids: Vec<_> = live.iter().map(|drift| drift.id).collect();
    drift::entity::resolve_locked(&write.tx, &ids, ResolvedHow::Manual, &write.actor.user_id, write.at)
        .await?;
    let mut records: Vec<Record> = live
        .iter()
        .map(|drift| Record::resolved(drift.id, AuditAction::DriftResolve, drift.status))
        .collect();
    records.push(Record::new(Subject::Stack(stack.id), AuditAction::StackDelete));
    audit::record(&write.tx, &write.actor, write.at, records).await?;
    alert::close_silence(&mut write.tx, name, &write.actor, write.at).await?;
    scans::entity::delete_of_stack(&write.tx, name).await?;
    scope::delete_of_stack(&write.tx, name).await?;
    entity::delete(&write.tx, stack.id).await?;
    for drift in live {
        write.tx.emit(drift::resolved_live(drift, name, ResolvedHow::Manual, write.at));
    }
    write.tx.emit(StackDeleted { id: stack.id, stack: name.into() });
    Ok(())
}

async fn lock(write: &Write, name: &str) -> Result<Model, DriftError> {
    entity::lock_existing(&write.tx, name).await?.ok_or(DriftError::NotFound("stack"))
}
