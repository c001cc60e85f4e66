//! The endpoints of watchers.

use actix_web::HttpResponse;
use actix_web::web::Data;
use http::openapi::Success;
use http::{ApiError, NoQuery, ValidPath, Viewer};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::{entity, watcher};
use crate::State;
use crate::error::DriftError;
use crate::write::{self, Conditions, Reply, Write};

/// The people who watch a drift.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatchView {
    /// The ids of the watchers, at most 100.
    pub watchers: Vec<String>,
    /// The caller is one of them.
    pub is_watched: bool,
}

impl WatchView {
    pub(super) async fn read(
        db: &impl sea_orm::ConnectionTrait,
        drift_id: Uuid,
        user_id: &str,
    ) -> Result<Self, DriftError> {
        let watchers = watcher::of_drift(db, drift_id).await?;
        Ok(Self { is_watched: watchers.iter().any(|watcher| watcher == user_id), watchers })
    }
}

/// Makes the caller a watcher of a drift. A repetition changes nothing.
#[utoipa::path(put, path = "/api/v1/drifts/{id}/watch", tag = "drifts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<WatchView>), (status = 409)),
    security(("bearer" = ["viewer"])))]
pub async fn watch_drift(
    state: Data<State>,
    Viewer(caller): Viewer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    write::once(&state, caller, &conditions, b"", async |write| {
        let user_id = lock(write, id).await?;
        watcher::add_person(&write.tx, &[id], &user_id, write.at).await?;
        let view = WatchView::read(&write.tx, id, &user_id).await?;
        if !view.is_watched {
            return Err(DriftError::TooMany("a drift has at most 100 watchers, who are people"));
        }
        Ok(Reply::ok(view))
    })
    .await
}

/// Makes the caller no watcher of a drift. A repetition changes nothing.
#[utoipa::path(delete, path = "/api/v1/drifts/{id}/watch", tag = "drifts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<WatchView>)),
    security(("bearer" = ["viewer"])))]
pub async fn unwatch_drift(
    state: Data<State>,
    Viewer(caller): Viewer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    write::once(&state, caller, &conditions, b"", async |write| {
        let user_id = lock(write, id).await?;
        watcher::remove(&write.tx, id, &user_id).await?;
        Ok(Reply::ok(WatchView::read(&write.tx, id, &user_id).await?))
    })
    .await
}

/// Locks the drift, so that the number of its watchers is exact. Returns the id of the caller.
async fn lock(write: &Write, id: Uuid) -> Result<String, DriftError> {
    entity::lock(&write.tx, id).await?.ok_or(DriftError::NotFound("drift"))?;
    Ok(write.actor.user_id.clone())
}
