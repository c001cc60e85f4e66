use actix_web::HttpResponse;
use actix_web::web::Data;
use http::{ApiError, NoQuery, ValidPath, ValidQuery};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::deciding::DecidingView;
use super::super::list::DriftQuery;
use super::super::{DriftView, entity};
use super::WatchView;
use crate::State;
use crate::access::Reader;
use crate::as_of::{AsOf, AsOfParams};
use crate::error::DriftError;
use crate::write::with_etag;
use http::openapi::{List, Success};

/// Lists drifts, filtered and sorted.
#[utoipa::path(get, path = "/api/v1/drifts", tag = "drifts", params(DriftQuery, AsOfParams),
    responses((status = 200, body = List<DriftView>)),
    security((), ("bearer" = [])))]
pub async fn list_drifts(
    state: Data<State>,
    reader: Reader,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<DriftQuery>,
) -> Result<HttpResponse, ApiError> {
    let (drifts, next) = query.page(&state.database, &reader).await?;
    let views = drifts.into_iter().map(|drift| DriftView::new(drift, reader.audience)).collect();
    Ok(as_of.on(http::list(views, query.limit, next)))
}

/// A drift, the people who watch it, and those who are deciding on it.
#[derive(Serialize, ToSchema)]
pub struct DriftDetail {
    #[serde(flatten)]
    drift: DriftView,
    /// Visible to viewers, engineers and admins.
    #[serde(flatten)]
    people: Option<People>,
}

#[derive(Serialize, ToSchema)]
struct People {
    #[serde(flatten)]
    watch: WatchView,
    /// Who is deciding at the moment.
    deciding: Vec<DecidingView>,
}

/// Returns a drift.
#[utoipa::path(get, path = "/api/v1/drifts/{id}", tag = "drifts", params(("id" = Uuid, Path), AsOfParams),
    responses((status = 200, body = Success<DriftDetail>)),
    security((), ("bearer" = [])))]
pub async fn get_drift(
    state: Data<State>,
    Reader { audience, user_id }: Reader,
    as_of: AsOf,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let drift = entity::by_id(&state.database, id).await.map_err(DriftError::from)?;
    let drift = drift.ok_or(DriftError::NotFound("drift"))?;
    let version = drift.version;
    let people = match user_id {
        Some(user_id) => Some(People {
            watch: WatchView::read(&state.database, id, &user_id).await?,
            deciding: state.deciding.on(id, state.platform.clock().now()),
        }),
        None => None,
    };
    let detail = DriftDetail { drift: DriftView::new(drift, audience), people };
    Ok(as_of.on(with_etag(http::ok(detail), version)))
}
