use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::AccountId;
use http::openapi::Success;
use http::{ApiError, Engineer, ValidQuery, is_account_id};
use scan::{Scope, Source};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::check::check;
use super::report::{GuardReport, Verdict};
use crate::State;
use crate::error::DriftError;
use crate::ingest::{Upload, reading_deadline};
use crate::text::storable;

#[derive(Clone, Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct GuardQuery {
    /// The state or workspace that the plan changes
    #[validate(length(min = 1, max = 256), custom(function = "storable"))]
    #[param(min_length = 1, max_length = 256)]
    stack: String,
    /// The account of resources for which the plan names none
    #[validate(custom(function = "is_account_id"))]
    account_id: Option<AccountId>,
}

impl GuardQuery {
    fn scope(self) -> Scope {
        Scope {
            account_id: self.account_id,
            source: Source::Changes,
            is_planned: true,
            deadline: Some(reading_deadline()),
            ..Scope::of_stack(self.stack)
        }
    }
}

/// Checks a plan before it is applied: does it undo an approved drift, or touch an undecided one? Stores
/// nothing.
///
/// Accepts one plan (`terraform show -json plan`, also of OpenTofu), plain or gzip, and compares its
/// `resource_changes` with the live drifts of the stack.
#[utoipa::path(post, path = "/api/v1/guard", tag = "drifts", params(GuardQuery),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = Success<GuardReport>), (status = 422)),
    security(("bearer" = ["engineer"])))]
pub async fn guard_plan(
    state: Data<State>,
    Engineer(caller): Engineer,
    ValidQuery(query): ValidQuery<GuardQuery>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let upload = Upload::receive(&state, &caller, &request, body).await?;
    let rules = state.rules.read(&state.database).await.map_err(DriftError::from)?;
    let ((mut scans, _), _upload) = upload.read(&state, query.scope(), &rules).await?;
    let scan = scans.pop().ok_or_else(|| ApiError::unprocessable("the upload holds no plan"))?;
    let report = check(&state.database, scan).await.map_err(DriftError::from)?;
    let (verdict, undoes, touches): (Verdict, _, _) =
        (report.verdict, report.undoes.len(), report.touches.len());
    tracing::info!(stack = ?report.stack, ?verdict, undoes, touches, "checked a plan");
    Ok(http::ok(report))
}
