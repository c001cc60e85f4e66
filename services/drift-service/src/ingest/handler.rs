use std::time::Instant;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::Success;
use http::{ApiError, Engineer, ValidQuery};
use scan::ScanError;

use super::query::IngestQuery;
use super::report::IngestReport;
use super::store::{ingest, record_refusal};
use super::upload::Upload;
use crate::State;
use crate::error::DriftError;
use crate::write::{self, Conditions, Reply};

/// Ingests scans: all of an upload, or nothing of it.
///
/// Accepts plans (`terraform show -json plan`, also of OpenTofu), the lines of `plan -json`, and driftctl's
/// JSON, plain or gzip. `{"plan": …, "infracost": …}` is one plan with the output of
/// `infracost breakdown --format json` for it.
#[utoipa::path(post, path = "/api/v1/drifts/ingest", tag = "drifts", params(IngestQuery),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = Success<IngestReport>), (status = 409), (status = 422)),
    security(("bearer" = ["engineer"])))]
pub async fn ingest_scan(
    state: Data<State>,
    Engineer(caller): Engineer,
    ValidQuery(query): ValidQuery<IngestQuery>,
    conditions: Conditions,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let started = Instant::now();
    let upload = Upload::receive(&state, &caller, &request, body).await?;
    let (contents, upload) = match upload.read(&state, query.scope()).await {
        Err(DriftError::Scan(ScanError::Unsupported(reason))) => {
            if !query.dry_run {
                record_refusal(&state, caller, &query, reason.clone(), started).await?;
            }
            return Err(DriftError::Scan(ScanError::Unsupported(reason)).into());
        }
        read => read?,
    };
    write::once(&state, caller, &conditions, &upload.body, async |write| {
        let report = ingest(write, &state, &query, contents, started).await?;
        Ok(Reply::ok(report).with_dry_run(query.dry_run))
    })
    .await
}
