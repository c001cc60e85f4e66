use actix_web::HttpResponse;
use actix_web::web::Data;
use http::{ApiError, NoQuery, ValidPath, ValidQuery};
use uuid::Uuid;

use super::super::list::DriftQuery;
use super::super::{DriftView, entity};
use crate::State;
use crate::access::Reader;
use crate::as_of::{AsOf, AsOfParams};
use crate::audience::Audience;
use crate::error::DriftError;
use crate::write::with_etag;
use http::openapi::{List, Success};

/// Lists drifts, filtered and sorted.
#[utoipa::path(get, path = "/api/v1/drifts", tag = "drifts", params(DriftQuery, AsOfParams),
    responses((status = 200, body = List<DriftView>)),
    security((), ("bearer" = [])))]
pub async fn list_drifts(
    state: Data<State>,
    Reader { audience, .. }: Reader,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<DriftQuery>,
) -> Result<HttpResponse, ApiError> {
    let (drifts, next) = query.page(&state.database, audience).await?;
    let views = drifts.into_iter().map(|drift| DriftView::new(drift, audience)).collect();
    Ok(as_of.on(http::list(views, query.limit, next)))
}

/// Returns a drift.
#[utoipa::path(get, path = "/api/v1/drifts/{id}", tag = "drifts", params(("id" = Uuid, Path), AsOfParams),
    responses((status = 200, body = Success<DriftView>)),
    security((), ("bearer" = [])))]
pub async fn get_drift(
    state: Data<State>,
    Reader { audience, .. }: Reader,
    as_of: AsOf,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let drift = entity::by_id(&state.database, id).await.map_err(DriftError::from)?;
    let drift = drift.ok_or(DriftError::NotFound("drift"))?;
    let version = drift.version;
    let is_shown = audience >= Audience::Viewer;
    let deciding = is_shown.then(|| state.deciding.on(id, state.platform.clock().now()));
    let view = DriftView { deciding, ..DriftView::new(drift, audience) };
    Ok(as_of.on(with_etag(http::ok(view), version)))
}
