use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;
use web::{ApiError, ErrorCode, ValidQuery};

use super::apply::{Stamp, apply};
use super::reconcile::{Sighting, distinct};
use super::{Coverage, IngestReport, compare};
use crate::access::Engineer;
use crate::error::DriftError;
use crate::money::Money;
use crate::scan::{self, Judgement, MAX_BYTES, Scan, Scope, Source};
use crate::text::storable;
use crate::write::{Begun, Conditions, Write, begin};
use crate::{State, stack};
use web::openapi::Success;

/// How far ahead of ours a scanner's clock may be.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

#[derive(Clone, Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct IngestQuery {
    /// What was scanned: names the state or workspace
    #[validate(length(min = 1, max = 256), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 256)]
    stack: String,
    /// The scan covers the whole stack: what it does not find is resolved. Not so for a plan that is targeted,
    /// or shows no sign of having looked: without drift, only the refresh-only form does. With
    /// `source=changes` no plan shows it, and this is the caller's word
    #[serde(default)]
    complete: bool,
    #[validate(length(min = 1, max = 64), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 64)]
    account_id: Option<String>,
    /// For resources whose state tells no region
    #[validate(length(min = 1, max = 64), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 64)]
    region: Option<String>,
    /// Which list of a plan is read
    #[serde(default)]
    #[param(value_type = Option<Source>)]
    source: Source,
    /// Take driftctl's unmanaged resources too
    #[serde(default)]
    unmanaged: bool,
    /// Report and store nothing
    #[serde(default)]
    dry_run: bool,
}

/// Takes in a plan (`terraform show -json plan`, OpenTofu alike) or driftctl's JSON, gzip or not.
/// All or nothing.
#[utoipa::path(post, path = "/api/v1/drifts/ingest", tag = "drifts", params(IngestQuery),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = Success<IngestReport>), (status = 409), (status = 422)),
    security(("bearer" = ["engineer"])))]
pub async fn ingest_scan(
    state: Data<State>,
    Engineer(actor): Engineer,
    ValidQuery(query): ValidQuery<IngestQuery>,
    conditions: Conditions,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    require_json_or_gzip(&request)?;
    let body = body
        .to_bytes_limited(MAX_BYTES)
        .await
        .map_err(|_| ApiError::too_large(scan::ScanError::TooLarge.to_string()))?
        .map_err(|_| ApiError::validation("body", "could not be read"))?;
    // One at a time: SQLite has one writer, and it bounds the memory that uploads take.
    let _turn = state.ingest_turn.acquire().await.map_err(ApiError::internal)?;
    let scope = Scope {
        account_id: query.account_id.clone(),
        region: query.region.clone(),
        source: query.source,
        unmanaged: query.unmanaged,
    };
    let reading = {
        let (state, body) = (state.clone(), body.clone());
        move || {
            let judgement = Judgement { rules: &state.rules, state_key: &state.state_key };
            scan::read(&scan::unpack(&body)?, &scope, judgement)
        }
    };
    let scan = tokio::task::spawn_blocking(reading).await.map_err(ApiError::internal)?;
    let scan = scan.map_err(DriftError::from)?;
    let mut write = match begin(&state, actor, &conditions, &body).await? {
        Begun::Write(write) => write,
        Begun::Answered(answer) => return Ok(answer),
    };
    let report = take_in(&mut write, &state, &query, scan).await?;
    if query.dry_run {
        // Dropping the write rolls it back.
        return Ok(web::ok(report));
    }
    Ok(write.answer(StatusCode::OK, &report).await?)
}

fn require_json_or_gzip(request: &HttpRequest) -> Result<(), ApiError> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type =
        header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_lowercase();
    let is_known =
        matches!(content_type.as_str(), "application/json" | "application/gzip" | "application/x-gzip");
    let encoding = header(header::CONTENT_ENCODING).to_lowercase();
    if is_known && matches!(encoding.as_str(), "" | "identity" | "gzip") {
        return Ok(());
    }
    let message = "send JSON as application/json, as it is or with Content-Encoding: gzip";
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, message))
}

async fn take_in(
    write: &mut Write,
    state: &State,
    query: &IngestQuery,
    scan: Scan,
) -> Result<IngestReport, DriftError> {
    let taken_at = scan.taken_at.map(scan::to_micros).unwrap_or(write.at);
    if taken_at > write.at + CLOCK_SKEW {
        let message = "lies more than 5 minutes ahead".to_owned();
        return Err(DriftError::Invalid { field: "timestamp", message });
    }
    let account_id = query.account_id.as_deref();
    stack::lock(&*write.tx, &query.stack).await?;
    if let Some(last) = stack::last_scan(&*write.tx, &query.stack, account_id).await?
        && taken_at < last
    {
        return Err(DriftError::StaleScan { last });
    }
    stack::record_scan(&*write.tx, &query.stack, account_id, taken_at).await?;

    let mut report = IngestReport {
        ignored: scan.ignored,
        skipped: scan.skipped,
        skipped_reasons: scan.skipped_reasons,
        warnings: scan.warnings,
        dry_run: query.dry_run,
        ..IngestReport::default()
    };
    let is_complete = query.complete && scan.incomplete.is_none();
    if let (true, Some(why)) = (query.complete, scan.incomplete) {
        report.warnings.push(format!("nothing is resolved: {why}"));
    }
    let sightings =
        scan.findings.into_iter().map(|finding| Sighting::new(finding, &query.stack, Money::default()));
    let (sightings, repeated) = distinct(sightings.collect());
    for address in repeated {
        report.skipped += 1;
        *report.skipped_reasons.entry("same resource twice").or_default() += 1;
        report.warnings.push(format!("{address}: skipped, the same resource occurs twice"));
    }

    let coverage = Coverage { stack: &query.stack, account_id, is_complete };
    let outcome = compare(&write.tx, sightings, coverage).await?;
    report.unchanged = outcome.seen_again.len();
    report.changed = outcome.updated.len() + outcome.superseded.len();
    report.created = outcome.new.len() - outcome.superseded.len();
    report.resolved = outcome.gone.len();
    if !query.dry_run {
        let stamp =
            Stamp { actor: &write.actor, rules: &state.rules, stack: &query.stack, taken_at, now: write.at };
        apply(&mut write.tx, outcome, &stamp).await?;
    }
    let IngestReport { created, unchanged, changed, resolved, dry_run, .. } = report;
    tracing::info!(stack = ?query.stack, created, unchanged, changed, resolved, dry_run, "took a scan in");
    Ok(report)
}
