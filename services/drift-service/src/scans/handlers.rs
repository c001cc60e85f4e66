//! The endpoints of scans.

use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::Timestamp;
use contracts::scan::Completeness;
use http::openapi::{List, Success};
use http::{AnyOf, ApiError, NoQuery, ValidPath, ValidQuery};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;
use validator::Validate;

use super::entity::{self, ScanFilter};
use super::view::ScanView;
use crate::access::Reader;
use crate::as_of::{AsOf, AsOfParams};
use crate::error::DriftError;
use crate::text::storable;
use crate::{State, page};

#[derive(Clone, Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ScanQuery {
    #[validate(length(min = 1, max = 256), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 256)]
    stack: Option<String>,
    #[param(value_type = Option<String>)]
    completeness: Option<AnyOf<Completeness>>,
    /// RFC 3339, from 1970 to 9999
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    received_from: Option<Timestamp>,
    /// RFC 3339, exclusive
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    received_to: Option<Timestamp>,
    #[validate(range(min = 1, max = 100))]
    #[serde(default = "http::cursor::default_limit")]
    #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
    limit: u64,
    cursor: Option<String>,
}

/// Lists scans, newest first.
#[utoipa::path(get, path = "/api/v1/scans", tag = "scans", params(ScanQuery, AsOfParams),
    responses((status = 200, body = List<ScanView>)),
    security((), ("bearer" = [])))]
pub async fn list_scans(
    state: Data<State>,
    reader: Reader,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<ScanQuery>,
) -> Result<HttpResponse, ApiError> {
    let bound = format!("{:?}", ScanQuery { cursor: None, limit: 0, ..query.clone() });
    let after = page::after(query.cursor.as_deref(), &bound)?;
    let filter = ScanFilter {
        stack: query.stack,
        completeness: query.completeness.map(|AnyOf(wanted)| wanted),
        received_from: query.received_from.map(|Timestamp(at)| at),
        received_to: query.received_to.map(|Timestamp(at)| at),
    };
    let rows = entity::page(&state.database, &filter, after, query.limit + 1).await;
    let rows = rows.map_err(DriftError::from)?;
    let (scans, next) = page::cut(rows, query.limit, &bound, |scan| (scan.received_at, scan.id));
    let views = scans.into_iter().map(|scan| ScanView::new(scan, reader.audience)).collect();
    Ok(as_of.on(http::list(views, query.limit, next)))
}

/// Returns a scan.
#[utoipa::path(get, path = "/api/v1/scans/{id}", tag = "scans", params(("id" = Uuid, Path)),
    responses((status = 200, body = Success<ScanView>)),
    security((), ("bearer" = [])))]
pub async fn get_scan(
    state: Data<State>,
    reader: Reader,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let scan = entity::by_id(&state.database, id).await.map_err(DriftError::from)?;
    Ok(http::ok(ScanView::new(scan.ok_or(DriftError::NotFound("scan"))?, reader.audience)))
}
