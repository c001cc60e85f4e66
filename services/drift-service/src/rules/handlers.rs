//! The endpoint that lists the rules.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::drift::Severity;
use http::openapi::Success;
use http::{ApiError, NoQuery, Viewer};
use serde::Serialize;
use utoipa::ToSchema;

use super::uses;
use crate::State;
use crate::error::DriftError;

/// The rules in use, without the built-in ones.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesView {
    /// The lowest severity that raises an alert.
    pub alert_threshold: Severity,
    /// The rules in their order. The first rule that matches decides.
    pub rules: Vec<RuleView>,
}

/// A rule of the file that `DRIFT_RULES` names.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleView {
    /// The class and the pattern of the rule, such as `ignore: aws_instance.*.tags`.
    pub rule: String,
    /// The number of changes that the rule has decided. A rule with 0 has not matched anything.
    pub matches: i64,
    pub last_matched_at: Option<DateTime<Utc>>,
}

/// Lists the rules of this deployment, with the number of matches of each.
#[utoipa::path(get, path = "/api/v1/drifts/rules", tag = "drifts",
    responses((status = 200, body = Success<RulesView>)),
    security(("bearer" = ["viewer"])))]
pub async fn list_rules(state: Data<State>, _viewer: Viewer, _: NoQuery) -> Result<HttpResponse, ApiError> {
    let used = uses::all(&state.database).await.map_err(DriftError::from)?;
    let used: HashMap<String, uses::Model> = used.into_iter().map(|row| (row.rule.clone(), row)).collect();
    let view = |rule: &scan::rules::Rule| {
        let used = used.get(&rule.text);
        RuleView {
            rule: rule.text.clone(),
            matches: used.map_or(0, |used| used.matches),
            last_matched_at: used.map(|used| used.last_matched_at),
        }
    };
    Ok(http::ok(RulesView {
        alert_threshold: state.rules.alert_threshold,
        rules: state.rules.listed().iter().map(view).collect(),
    }))
}
