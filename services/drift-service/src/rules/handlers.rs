//! The endpoints that list the rules and their versions.

use std::collections::{HashMap, HashSet};

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::drift::Severity;
use http::openapi::{List, Success};
use http::{ApiError, NoQuery, ValidQuery, Viewer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::entity::{self, Model};
use super::uses;
use super::written::{self, WrittenRule};
use crate::error::DriftError;
use crate::write::with_etag;
use crate::{State, page};

const VERSIONS: &str = "versions of the rules";

/// The rules in force, without the built-in ones.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesView {
    /// The version of the console's rules; 0 if none was saved. Also the ETag.
    pub version: i32,
    /// The user who saved this version.
    pub saved_by: Option<String>,
    pub saved_at: Option<DateTime<Utc>>,
    /// The lowest severity that raises an alert.
    pub alert_threshold: Severity,
    /// The threshold of the console; `null` leaves it to the file.
    pub console_alert_threshold: Option<Severity>,
    /// The threshold of the file.
    pub file_alert_threshold: Severity,
    /// The rules in their order. The first rule that matches decides.
    pub rules: Vec<RuleView>,
}

/// A rule in force.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleView {
    /// The class and the pattern of the rule, such as `ignore: aws_instance.*.tags`.
    pub rule: String,
    pub source: RuleSource,
    /// The rule as it was written, for a rule of the console.
    pub written: Option<WrittenRule>,
    /// The number of changes that the rule has decided. A rule with 0 has not matched anything.
    pub matches: i64,
    pub last_matched_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleSource {
    /// The file that `DRIFT_RULES` names.
    File,
    Console,
}

/// Lists the rules of this deployment, with the number of matches of each.
#[utoipa::path(get, path = "/api/v1/drifts/rules", tag = "drifts",
    responses((status = 200, body = Success<RulesView>)),
    security(("bearer" = ["viewer"])))]
pub async fn list_rules(state: Data<State>, _viewer: Viewer, _: NoQuery) -> Result<HttpResponse, ApiError> {
    let newest = entity::newest(&state.database).await.map_err(DriftError::from)?;
    let used = uses::all(&state.database).await.map_err(DriftError::from)?;
    let used: HashMap<String, uses::Model> = used.into_iter().map(|row| (row.rule.clone(), row)).collect();
    let view = |rule: String, source, written| {
        let used = used.get(&rule);
        let matches = used.map_or(0, |used| used.matches);
        RuleView { source, written, matches, last_matched_at: used.map(|used| used.last_matched_at), rule }
    };
    let file = state.rules.file();
    let above = newest.as_ref().map(|newest| written::read(&newest.rules)).transpose();
    let above = above.map_err(DriftError::from)?.unwrap_or_default();
    let above = above.into_iter().map(|written| view(written.text(), RuleSource::Console, Some(written)));
    let below = file.listed().iter().map(|rule| view(rule.text.clone(), RuleSource::File, None));
    let threshold = newest.as_ref().and_then(|newest| newest.alert_threshold);
    let version = newest.as_ref().map_or(0, |newest| newest.version);
    let view = RulesView {
        version,
        alert_threshold: threshold.unwrap_or(file.alert_threshold),
        console_alert_threshold: threshold,
        file_alert_threshold: file.alert_threshold,
        rules: above.chain(below).collect(),
        saved_at: newest.as_ref().map(|newest| newest.at),
        saved_by: newest.map(|newest| newest.by),
    };
    Ok(with_etag(http::ok(view), version))
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct VersionsQuery {
    // A version may be large.
    #[validate(range(min = 1, max = 20))]
    #[serde(default = "http::cursor::default_limit")]
    #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 20)]
    limit: u64,
    cursor: Option<String>,
}

/// One version of the console's rules.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesVersion {
    pub version: i32,
    pub at: DateTime<Utc>,
    /// The user who saved the version.
    pub by: String,
    pub note: Option<String>,
    /// The version that this one restores.
    pub restored_from: Option<i32>,
    pub alert_threshold: Option<Severity>,
    /// All rules of the version.
    pub rules: Vec<WrittenRule>,
    /// The rules that the version before did not have, as `class: pattern`.
    pub added: Vec<String>,
    /// The rules that only the version before had.
    pub removed: Vec<String>,
}

/// Lists the last 200 versions of the console's rules, newest first.
#[utoipa::path(get, path = "/api/v1/drifts/rules/versions", tag = "drifts", params(VersionsQuery),
    responses((status = 200, body = List<RulesVersion>)),
    security(("bearer" = ["viewer"])))]
pub async fn list_rule_versions(
    state: Data<State>,
    _viewer: Viewer,
    ValidQuery(VersionsQuery { limit, cursor }): ValidQuery<VersionsQuery>,
) -> Result<HttpResponse, ApiError> {
    let before = page::after::<i32>(cursor.as_deref(), VERSIONS)?.map(|(version, _)| version);
    let rows = entity::page(&state.database, before, limit + 1).await.map_err(DriftError::from)?;
    let mut versions: Vec<RulesVersion> =
        rows.into_iter().map(view).collect::<Result<_, _>>().map_err(DriftError::from)?;
    for at in 0..versions.len() {
        let texts = |version: Option<&RulesVersion>| -> Vec<String> {
            version.map(|version| version.rules.iter().map(WrittenRule::text).collect()).unwrap_or_default()
        };
        let (now, then) = (texts(versions.get(at)), texts(versions.get(at + 1)));
        versions[at].added = without(&now, &then);
        versions[at].removed = without(&then, &now);
    }
    let (versions, next) = page::cut(versions, limit, VERSIONS, |version| (version.version, Uuid::nil()));
    Ok(http::list(versions, limit, next))
}

fn without(texts: &[String], others: &[String]) -> Vec<String> {
    let others: HashSet<&String> = others.iter().collect();
    texts.iter().filter(|text| !others.contains(text)).cloned().collect()
}

fn view(row: Model) -> Result<RulesVersion, serde_json::Error> {
    Ok(RulesVersion {
        version: row.version,
        at: row.at,
        by: row.by,
        note: row.note,
        restored_from: row.restored_from,
        alert_threshold: row.alert_threshold,
        rules: written::read(&row.rules)?,
        added: Vec::new(),
        removed: Vec::new(),
    })
}
