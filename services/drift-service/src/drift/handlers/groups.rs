use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::Timestamp;
use contracts::drift::{Kind, Severity};
use http::openapi::{List, Success};
use http::{ApiError, Engineer, ValidJson, ValidQuery, Viewer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::super::decide::Decision;
use super::super::decide_all::{Covered, MAX_DECIDED, decide_all};
use super::super::facets::{self, FacetQuery, FacetValue};
use super::super::filter::filtered_query;
use super::super::group_key::group_key;
use super::super::groups::{CauseGroup, GroupQuery};
use super::super::until::approval_end;
use super::super::{Action, DriftView};
use crate::State;
use crate::access::Reader;
use crate::as_of::{AsOf, AsOfParams};
use crate::error::DriftError;
use crate::text::storable;
use crate::write::{self, Conditions, Reply};

/// Drifts with one cause: the same paths of resources of one type changed to the same values.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupView {
    /// The value for the filter `group`.
    pub key: String,
    pub resource_type: String,
    pub kind: Kind,
    /// The highest severity among them.
    pub severity: Severity,
    pub drifts: i64,
    /// Number of stacks that have such drifts.
    pub stacks: i64,
    pub detected: i64,
    pub approved: i64,
    pub rejected: i64,
    pub resolved: i64,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    /// One of them.
    pub example: Option<DriftView>,
}

impl GroupView {
    fn new(group: CauseGroup, example: Option<DriftView>) -> Self {
        let severities = [Severity::Info, Severity::Warning, Severity::Critical];
        let severity = severities.into_iter().find(|severity| severity.rank() == group.rank);
        Self {
            key: group_key(&group.resource_type, &group.actual_hash),
            resource_type: group.resource_type,
            kind: group.kind,
            severity: severity.unwrap_or(Severity::Info),
            drifts: group.drifts,
            stacks: group.stacks,
            detected: group.detected,
            approved: group.approved,
            rejected: group.rejected,
            resolved: group.resolved,
            first_seen_at: group.first_seen_at,
            last_seen_at: group.last_seen_at,
            example,
        }
    }
}

/// Lists drifts grouped by cause, the most severe and then the largest group first.
#[utoipa::path(get, path = "/api/v1/drifts/groups", tag = "drifts", params(GroupQuery, AsOfParams),
    responses((status = 200, body = List<GroupView>)),
    security(("bearer" = ["viewer"])))]
pub async fn list_drift_groups(
    state: Data<State>,
    Viewer(caller): Viewer,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<GroupQuery>,
) -> Result<HttpResponse, ApiError> {
    let filter = query.filter(&(&caller).into())?;
    let (groups, next) = query.page(&state.database, &filter).await?;
    let examples = GroupQuery::examples(&state.database, &filter, &groups).await;
    let examples = examples.map_err(DriftError::from)?;
    let mut examples: HashMap<_, _> = examples
        .into_iter()
        .map(|drift| ((drift.resource_type.clone(), drift.actual_hash.clone()), drift))
        .collect();
    let view = |group: CauseGroup| {
        let example = examples.remove(&(group.resource_type.clone(), group.actual_hash.clone()));
        GroupView::new(group, example.map(|drift| DriftView::new(drift, caller.role.into())))
    };
    Ok(as_of.on(http::list(groups.into_iter().map(view).collect(), query.limit, next)))
}

/// For each facet, its 50 most frequent values. A facet leaves out its own filter, so that it shows what another choice
/// would give.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FacetsView {
    #[serde(flatten)]
    #[schema(value_type = HashMap<String, Vec<FacetValue>>)]
    facets: facets::Facets,
}

/// Counts the drifts for each value of each filter.
#[utoipa::path(get, path = "/api/v1/drifts/facets", tag = "drifts", params(FacetQuery, AsOfParams),
    responses((status = 200, body = Success<FacetsView>)),
    security((), ("bearer" = [])))]
pub async fn get_drift_facets(
    state: Data<State>,
    reader: Reader,
    as_of: AsOf,
    ValidQuery(query): ValidQuery<FacetQuery>,
) -> Result<HttpResponse, ApiError> {
    let filter = query.filter(&reader)?;
    let facets = facets::count(&state.database, &filter).await.map_err(DriftError::from)?;
    Ok(as_of.on(http::ok(FacetsView { facets })))
}

filtered_query! {
    /// The drifts to decide on. Lists are comma-separated, with at most 50 values.
    pub struct DecideQuery {}
}

/// One decision on all drifts that match.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MatchingDecision {
    action: Action,
    /// Required to approve or reject
    #[validate(length(min = 1, max = 1000), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 1000)]
    reason: Option<String>,
    /// The number of matching drifts whose status allows the action, as the caller has seen it. With another number,
    /// nothing is decided
    #[validate(range(min = 1, max = MAX_DECIDED))]
    #[schema(minimum = 1, maximum = 2000)]
    expected_count: u64,
    /// Only to approve: the time at which the approval expires. Default: until the value changes
    #[schema(value_type = Option<DateTime<Utc>>)]
    until: Option<Timestamp>,
}

/// Decides on all drifts that match the filters: on all of them, or on none.
///
/// Drifts whose status does not allow the action are left out, and counted in the response. A drift that joins the
/// group later is not covered.
#[utoipa::path(post, path = "/api/v1/drifts/decide", tag = "drifts", params(DecideQuery),
    request_body = MatchingDecision,
    responses((status = 200, body = Success<Covered>), (status = 409)),
    security(("bearer" = ["engineer"])))]
pub async fn decide_matching(
    state: Data<State>,
    Engineer(caller): Engineer,
    conditions: Conditions,
    ValidQuery(query): ValidQuery<DecideQuery>,
    ValidJson(body): ValidJson<MatchingDecision>,
) -> Result<HttpResponse, ApiError> {
    if matches!(body.action, Action::Approve | Action::Reject) && body.reason.is_none() {
        return Err(ApiError::validation("reason", "must have 1 to 1000 characters"));
    }
    let filter = query.filter(&(&caller).into())?;
    let request = serde_json::to_vec(&body).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        let reason = body.reason.map(|reason| state.redacted(&reason));
        let until = approval_end(body.until, body.action, write.at)?;
        let decision = Decision { action: body.action, reason, until, if_match: None };
        Ok(Reply::ok(decide_all(write, &filter, &decision, body.expected_count).await?))
    })
    .await
}
