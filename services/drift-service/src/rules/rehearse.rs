//! A rehearsal: what rules would do to the stored drifts, before they are saved. Stores nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::TimeDelta;
use contracts::drift::{Severity, Status};
use http::openapi::Success;
use http::{ApiError, Engineer, NoQuery, ValidJson};
use scan::StateKey;
use scan::rules::Rules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::current::RulesInForce;
use super::effect::{Effect, Loudness};
use super::rate::rate;
use super::written::{self, RuleSet, WrittenRule};
use crate::State;
use crate::drift::entity::Model;
use crate::drift::live;
use crate::error::DriftError;

/// Maximum number of drifts in one rehearsal.
const MAX_DRIFTS: u64 = 20_000;
/// Number of drifts that are read at once.
const PAGE: u64 = 100;
/// The longest time for one rehearsal.
const LONGEST: Duration = Duration::from_secs(20);

/// Rules to rehearse, and the time back to which drifts are considered.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rehearsal {
    #[validate(custom(function = "written::are_rules"))]
    #[schema(max_items = 500)]
    rules: Vec<WrittenRule>,
    #[serde(default)]
    alert_threshold: Option<Severity>,
    /// Resolved drifts are considered if a scan has shown them within these days. Live drifts always are
    #[serde(default = "default_days")]
    #[validate(range(min = 1, max = 90))]
    #[schema(minimum = 1, maximum = 90, default = 30)]
    days: i64,
}

const fn default_days() -> i64 {
    30
}

/// The result of a rehearsal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RehearsalReport {
    pub days: i64,
    /// The version in force, with which the rules were compared.
    pub version: i32,
    /// Whether only the newest drifts were considered: at most 20,000, and as many as can be rated in 20 seconds.
    pub is_cut: bool,
    pub total: Effect,
    /// The part of each rule, in their order.
    pub rules: Vec<Effect>,
    pub warnings: Vec<String>,
}

/// Applies rules to the stored drifts, and reports what they would change. Stores nothing.
#[utoipa::path(post, path = "/api/v1/drifts/rules/rehearse", tag = "drifts", request_body = Rehearsal,
    responses((status = 200, body = Success<RehearsalReport>), (status = 503)),
    security(("bearer" = ["engineer"])))]
pub async fn rehearse_rules(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidJson(body): ValidJson<Rehearsal>,
) -> Result<HttpResponse, ApiError> {
    let busy = |_| ApiError::unavailable("too many exports and rehearsals are in progress; try again", 5);
    let _turn = state.exporting.take(&caller.user_id).await.map_err(busy)?;
    let days = body.days;
    let set = RuleSet { rules: body.rules, alert_threshold: body.alert_threshold, note: None };
    let wanted = state.rules.with(&set).map_err(|error| written::refused(&error))?;
    let in_force = state.rules.read(&state.database).await.map_err(DriftError::from)?;
    let version = in_force.version;
    let tally = Tally::new(set.rules.len(), Arc::new(wanted), in_force, state.state_key.clone());
    let (tally, is_cut) = run(&state, tally, days).await?;
    let Tally { total, each, .. } = tally;
    let warnings = warnings(&total);
    Ok(http::ok(RehearsalReport { days, version, is_cut, total, rules: each, warnings }))
}

async fn run(state: &State, mut tally: Tally, days: i64) -> Result<(Tally, bool), DriftError> {
    let since = state.platform.clock().now() - TimeDelta::days(days);
    let deadline = Instant::now() + LONGEST;
    let mut after = None;
    loop {
        let rows = live::seen_since(&state.database, since, after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok((tally, false)) };
        if tally.total.considered + PAGE > MAX_DRIFTS || Instant::now() > deadline {
            return Ok((tally, true));
        }
        after = Some((last.last_seen_at, last.id));
        tally = tokio::task::spawn_blocking(move || tally.with(&rows)).await.map_err(ApiError::internal)?;
    }
}

/// The effects so far.
struct Tally {
    wanted: Arc<Rules>,
    in_force: Arc<RulesInForce>,
    key: StateKey,
    total: Effect,
    /// By the index of the rule.
    each: Vec<Effect>,
}

impl Tally {
    fn new(rules: usize, wanted: Arc<Rules>, in_force: Arc<RulesInForce>, key: StateKey) -> Self {
        Self { wanted, in_force, key, total: Effect::default(), each: vec![Effect::default(); rules] }
    }

    fn with(mut self, rows: &[Model]) -> Self {
        for row in rows {
            let threshold = self.in_force.rules.alert_threshold;
            let before = if row.status == Status::Resolved {
                Loudness::rated(row, &rate(row, &self.in_force.rules, &self.key), threshold)
            } else {
                Loudness::stored(row, threshold)
            };
            let rerated = rate(row, &self.wanted, &self.key);
            let after = Loudness::rated(row, &rerated, self.wanted.alert_threshold);
            self.total.add(row, before, after);
            for rule in &rerated.rules {
                // The indexes behind those of the console are of rules in the file.
                if let Some(effect) = self.each.get_mut(*rule) {
                    effect.add(row, before, after);
                }
            }
        }
        self
    }
}

fn warnings(total: &Effect) -> Vec<String> {
    let mut warnings = Vec::new();
    if total.deleted_resources > 0 {
        warnings.push(format!(
            "the rules would hide deletions: {} of the silenced drifts are resources that no longer exist. A pattern with \
             a path never hides a deleted resource",
            total.deleted_resources
        ));
    }
    warnings
}
