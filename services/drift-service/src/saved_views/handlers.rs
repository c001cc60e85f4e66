//! The endpoints of views.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::Role;
use http::openapi::Success;
use http::{ApiError, NoQuery, ValidJson, Viewer};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::entity::{self, Model};
use crate::State;
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{self, Conditions, Reply};

/// Maximum number of views of one person.
const MAX_VIEWS: u64 = 100;

/// A saved view.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedView {
    id: Uuid,
    name: String,
    /// The query string of the console's list of drifts, without `?`.
    query: String,
    /// Whether everybody sees it.
    is_shared: bool,
    /// The id of the user.
    owner_id: String,
    created_at: DateTime<Utc>,
}

impl From<Model> for SavedView {
    fn from(view: Model) -> Self {
        let Model { id, owner_id, name, query, is_shared, created_at } = view;
        Self { id, name, query, is_shared, owner_id, created_at }
    }
}

/// A view to save.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewView {
    #[validate(length(min = 1, max = 80), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// The query string of the console's list of drifts, without `?`
    #[validate(length(max = 2000), custom(function = "storable"))]
    #[schema(max_length = 2000)]
    query: String,
    /// Whether everybody sees it; engineers and admins may share
    #[serde(default)]
    is_shared: bool,
}

/// Refuses to share a view for viewers, who otherwise change only what they see themselves.
pub(super) fn check_sharing(is_shared: bool, role: Role) -> Result<(), ApiError> {
    if is_shared && role < Role::Engineer {
        return Err(ApiError::forbidden("viewers cannot share a view"));
    }
    Ok(())
}

/// Lists the saved views of the caller, then at most 500 that others share, each in the order of names.
#[utoipa::path(get, path = "/api/v1/views", tag = "views",
    responses((status = 200, body = Success<Vec<SavedView>>)),
    security(("bearer" = ["viewer"])))]
pub async fn list_views(
    state: Data<State>,
    Viewer(caller): Viewer,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let views = entity::seen_by(&state.database, &caller.user_id).await.map_err(DriftError::from)?;
    Ok(http::ok(views.into_iter().map(SavedView::from).collect::<Vec<_>>()))
}

/// Saves a view. A person can have 100.
#[utoipa::path(post, path = "/api/v1/views", tag = "views", request_body = NewView,
    responses((status = 201, body = Success<SavedView>), (status = 409)),
    security(("bearer" = ["viewer"])))]
pub async fn create_view(
    state: Data<State>,
    Viewer(caller): Viewer,
    _: NoQuery,
    conditions: Conditions,
    ValidJson(body): ValidJson<NewView>,
) -> Result<HttpResponse, ApiError> {
    check_sharing(body.is_shared, caller.role)?;
    let request = serde_json::to_vec(&body).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        let owner_id = write.actor.user_id.clone();
        if entity::count_of(&write.tx, &owner_id).await? >= MAX_VIEWS {
            return Err(ApiError::conflict("you have 100 views; delete one first").into());
        }
        let NewView { name, query, is_shared } = body;
        let view = Model { id: Uuid::now_v7(), owner_id, name, query, is_shared, created_at: write.at };
        entity::insert(&write.tx, view.clone().into_active_model().reset_all()).await?;
        Ok(Reply::created(SavedView::from(view)))
    })
    .await
}
