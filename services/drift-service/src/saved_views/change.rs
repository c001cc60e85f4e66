//! Changing and deleting views.

use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::Role;
use http::openapi::{Done, Success};
use http::{ApiError, NoQuery, ValidJson, ValidPath, Viewer};
use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::entity::{self, ActiveModel, Model};
use super::handlers::{SavedView, check_sharing};
use crate::State;
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write};

/// A change of a view. Absent fields stay.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ViewChange {
    #[validate(length(min = 1, max = 80), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    #[validate(length(max = 2000), custom(function = "storable"))]
    #[schema(max_length = 2000)]
    query: Option<String>,
    is_shared: Option<bool>,
}

/// Changes a view of the caller.
#[utoipa::path(patch, path = "/api/v1/views/{id}", tag = "views", params(("id" = Uuid, Path)),
    request_body = ViewChange, responses((status = 200, body = Success<SavedView>), (status = 404)),
    security(("bearer" = ["viewer"])))]
pub async fn update_view(
    state: Data<State>,
    Viewer(caller): Viewer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    ValidJson(body): ValidJson<ViewChange>,
) -> Result<HttpResponse, ApiError> {
    check_sharing(body.is_shared == Some(true), caller.role)?;
    let request = serde_json::to_vec(&body).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        let view = own(write, id).await?;
        let change = ActiveModel {
            name: body.name.clone().map_or(NotSet, Set),
            query: body.query.clone().map_or(NotSet, Set),
            is_shared: body.is_shared.map_or(NotSet, Set),
            // A change of nothing is a statement that the database accepts too.
            owner_id: Set(view.owner_id.clone()),
            ..Default::default()
        };
        entity::update(&write.tx, id, change).await?;
        let ViewChange { name, query, is_shared } = body;
        Ok(Reply::ok(SavedView::from(Model {
            name: name.unwrap_or(view.name),
            query: query.unwrap_or(view.query),
            is_shared: is_shared.unwrap_or(view.is_shared),
            ..view
        })))
    })
    .await
}

/// Deletes a view of the caller. An admin may delete a shared view of anybody.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "views", params(("id" = Uuid, Path)),
    responses((status = 200, body = Done), (status = 404)),
    security(("bearer" = ["viewer"])))]
pub async fn delete_view(
    state: Data<State>,
    Viewer(caller): Viewer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    write::once(&state, caller, &conditions, b"", async |write| {
        let view = seen(write, id).await?;
        let may_delete = write.actor.role >= Role::Admin || view.owner_id == write.actor.user_id;
        if !may_delete {
            return Err(not_own());
        }
        entity::delete(&write.tx, id).await?;
        Ok(Reply::ok(()))
    })
    .await
}

async fn own(write: &Write, id: Uuid) -> Result<Model, DriftError> {
    let view = seen(write, id).await?;
    if view.owner_id == write.actor.user_id { Ok(view) } else { Err(not_own()) }
}

/// Returns a view that the caller sees.
async fn seen(write: &Write, id: Uuid) -> Result<Model, DriftError> {
    let view = entity::lock(&write.tx, id).await?;
    let is_seen = |view: &Model| view.is_shared || view.owner_id == write.actor.user_id;
    view.filter(is_seen).ok_or(DriftError::NotFound("view"))
}

fn not_own() -> DriftError {
    ApiError::forbidden("the view belongs to another person").into()
}
