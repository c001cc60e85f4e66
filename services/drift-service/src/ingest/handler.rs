use std::time::Instant;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use http::openapi::Success;
use http::{ApiError, Engineer, ValidQuery};
use scan::ScanError;

use super::query::IngestQuery;
use super::report::IngestReport;
use super::store::{Reading, ingest, record_refusal};
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
    let rules = state.rules.read(&state.database).await.map_err(DriftError::from)?;
    let (contents, upload) = match upload.read(&state, query.scope(), &rules).await {
        Err(DriftError::Scan(ScanError::Unsupported(reason))) => {
            if !query.dry_run {
                record_refusal(&state, caller, &query, reason.clone(), started).await?;
            }
            return Err(DriftError::Scan(ScanError::Unsupported(reason)).into());
        }
        read => read?,
    };
    let body = upload.body.clone();
    write::once(&state, caller, &conditions, &body, async |write| {
        let held = state.rules.hold(&write.tx).await?;
        // Other rules were saved while the upload was read.
        let (contents, _upload) = if held.version == rules.version {
            (contents, upload)
        } else {
            upload.read(&state, query.scope(), &held).await?
        };
        let report = ingest(write, &state, &query, contents, Reading { rules: &held.rules, started }).await?;
        Ok(Reply::ok(report).with_dry_run(query.dry_run))
    })
    .await
}
