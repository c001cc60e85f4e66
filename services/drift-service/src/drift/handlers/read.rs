use actix_web::HttpResponse;
use actix_web::web::Data;
use http::{ApiError, NoQuery, ValidPath, ValidQuery};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::list::DriftQuery;
use super::super::{DriftView, entity};
use super::WatchView;
use crate::State;
use crate::access::Reader;
use crate::error::DriftError;
use crate::write::with_etag;
use http::openapi::{List, Success};

/// Lists drifts, filtered and sorted.
#[utoipa::path(get, path = "/api/v1/drifts", tag = "drifts", params(DriftQuery),
    responses((status = 200, body = List<DriftView>)),
    security((), ("bearer" = [])))]
pub async fn list_drifts(
    state: Data<State>,
    Reader { audience, user_id }: Reader,
    ValidQuery(query): ValidQuery<DriftQuery>,
) -> Result<HttpResponse, ApiError> {
    let query = query.seen_by(user_id)?;
    let (drifts, next) = query.page(&state.database).await?;
    let views = drifts.into_iter().map(|drift| DriftView::new(drift, audience)).collect();
    Ok(http::list(views, query.limit, next))
}

/// A drift, and the people who watch it.
#[derive(Serialize, ToSchema)]
pub struct DriftDetail {
    #[serde(flatten)]
    drift: DriftView,
    /// Visible to viewers, engineers and admins.
    #[serde(flatten)]
    watch: Option<WatchView>,
}

/// Returns a drift.
#[utoipa::path(get, path = "/api/v1/drifts/{id}", tag = "drifts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<DriftDetail>)),
    security((), ("bearer" = [])))]
pub async fn get_drift(
    state: Data<State>,
    Reader { audience, user_id }: Reader,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let drift = entity::by_id(&state.database, id).await.map_err(DriftError::from)?;
    let drift = drift.ok_or(DriftError::NotFound("drift"))?;
    let version = drift.version;
    let watch = match user_id {
        Some(user_id) => Some(WatchView::read(&state.database, id, &user_id).await?),
        None => None,
    };
    Ok(with_etag(http::ok(DriftDetail { drift: DriftView::new(drift, audience), watch }), version))
}
