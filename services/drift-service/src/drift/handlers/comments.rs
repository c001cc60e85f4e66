//! The endpoints of comments.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::Role;
use contracts::events::drift::{DriftCommented, DriftUncommented};
use http::openapi::{Done, List, Success};
use http::{ApiError, Engineer, NoQuery, ValidJson, ValidPath, ValidQuery, Viewer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::super::comment::{self, Model};
use super::super::{entity, watcher};
use crate::audit::{self, AuditAction, Record};
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write};
use crate::{State, page};

/// A comment on a drift.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommentView {
    pub id: Uuid,
    pub drift_id: Uuid,
    /// The id of the author.
    pub by: String,
    pub at: DateTime<Utc>,
    pub text: String,
}

impl From<Model> for CommentView {
    fn from(Model { id, drift_id, by, at, text }: Model) -> Self {
        Self { id, drift_id, by, at, text }
    }
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct CommentQuery {
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "http::cursor::default_limit")]
    #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    cursor: Option<String>,
}

/// Lists the comments on a drift, newest first.
#[utoipa::path(get, path = "/api/v1/drifts/{id}/comments", tag = "drifts",
    params(("id" = Uuid, Path), CommentQuery),
    responses((status = 200, body = List<CommentView>)),
    security(("bearer" = ["viewer"])))]
pub async fn list_comments(
    state: Data<State>,
    _viewer: Viewer,
    ValidPath(id): ValidPath<Uuid>,
    ValidQuery(query): ValidQuery<CommentQuery>,
) -> Result<HttpResponse, ApiError> {
    let bound = format!("comments of {id}");
    let after = page::after(query.cursor.as_deref(), &bound)?;
    require(&state, id).await?;
    let rows = comment::page(&state.database, id, after, query.limit + 1).await.map_err(DriftError::from)?;
    let (comments, next) = page::cut(rows, query.limit, &bound, |comment| (comment.at, comment.id));
    Ok(http::list(comments.into_iter().map(CommentView::from).collect(), query.limit, next))
}

/// The text of a comment.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComment {
    #[validate(length(min = 1, max = 4000), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Comments on a drift. The author becomes a watcher.
#[utoipa::path(post, path = "/api/v1/drifts/{id}/comments", tag = "drifts", params(("id" = Uuid, Path)),
    request_body = NewComment, responses((status = 201, body = Success<CommentView>), (status = 409)),
    security(("bearer" = ["engineer"])))]
pub async fn create_comment(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    body: Result<ValidJson<NewComment>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    require(&state, id).await?;
    let ValidJson(NewComment { text }) = body?;
    write::once(&state, caller, &conditions, text.as_bytes(), async |write| {
        let comment = create(write, id, state.redacted(&text)).await?;
        Ok(Reply::created(CommentView::from(comment)))
    })
    .await
}

async fn require(state: &State, drift_id: Uuid) -> Result<(), DriftError> {
    let status = entity::status(&state.database, drift_id).await?;
    status.map(drop).ok_or(DriftError::NotFound("drift"))
}

async fn create(write: &mut Write, drift_id: Uuid, text: String) -> Result<Model, DriftError> {
    // The lock makes the count exact.
    let drift = entity::lock(&write.tx, drift_id).await?.ok_or(DriftError::NotFound("drift"))?;
    if comment::count(&write.tx, drift_id).await? >= comment::MOST {
        return Err(DriftError::TooMany("a drift has at most 500 comments; delete some of them"));
    }
    let by = write.actor.user_id.clone();
    let comment = Model { id: Uuid::now_v7(), drift_id, by: by.clone(), at: write.at, text };
    comment::insert(&write.tx, comment.clone()).await?;
    watcher::add_person(&write.tx, &[drift_id], &by, write.at).await?;
    note(write, drift_id, AuditAction::DriftComment).await?;
    let (comment_id, account_id) = (comment.id, drift.account_id);
    write.tx.emit(DriftCommented { id: drift_id, comment_id, by, account_id });
    Ok(comment)
}

#[derive(Deserialize)]
pub struct CommentPath {
    id: Uuid,
    comment: Uuid,
}

/// Deletes a comment: authors their own, and admins every one.
#[utoipa::path(delete, path = "/api/v1/drifts/{id}/comments/{comment}", tag = "drifts",
    params(("id" = Uuid, Path), ("comment" = Uuid, Path)),
    responses((status = 200, body = Done)),
    security(("bearer" = ["engineer"])))]
pub async fn delete_comment(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(CommentPath { id, comment }): ValidPath<CommentPath>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    write::once(&state, caller, &conditions, b"", async |write| {
        delete_checked(write, id, comment).await?;
        Ok(Reply::ok(()))
    })
    .await
}

async fn delete_checked(write: &mut Write, drift_id: Uuid, comment_id: Uuid) -> Result<(), DriftError> {
    let comment = comment::by_id(&write.tx, drift_id, comment_id).await?;
    let comment = comment.ok_or(DriftError::NotFound("comment"))?;
    if comment.by != write.actor.user_id && write.actor.role < Role::Admin {
        return Err(ApiError::forbidden("only an admin may delete the comments of other people").into());
    }
    let drift = entity::by_id(&write.tx, drift_id).await?.ok_or(DriftError::NotFound("drift"))?;
    if !comment::delete(&write.tx, comment_id).await? {
        return Err(DriftError::NotFound("comment"));
    }
    note(write, drift_id, AuditAction::DriftUncomment).await?;
    let by = write.actor.user_id.clone();
    write.tx.emit(DriftUncommented { id: drift_id, comment_id, by, account_id: drift.account_id });
    Ok(())
}

async fn note(write: &Write, drift_id: Uuid, action: AuditAction) -> Result<(), DriftError> {
    let record = Record::of_drift(drift_id, action);
    Ok(audit::record(&write.tx, &write.actor, write.at, vec![record]).await?)
}
