//! Saving the rules of the console: each save is a version of its own, and is in force when it is answered.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::events::drift::RulesChanged;
use http::openapi::Success;
use http::{Admin, ApiError, NoQuery, ValidJson, ValidPath};
use serde::Serialize;
use utoipa::ToSchema;

use super::current::SETTING;
use super::entity::{self, Model};
use super::reapply::apply_locked;
use super::written::{self, RuleSet};
use crate::State;
use crate::audit::{self, AuditAction, RULES_ID, Record, Subject};
use crate::error::DriftError;
use crate::setting;
use crate::write::{self, Conditions, Reply, Write};

/// The result of a save.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedRules {
    /// The version that is now in force.
    pub version: i32,
    /// The number of live drifts that are now resolved, because the rules ignore them.
    pub ignored: usize,
    /// The number of other live drifts that are now rated differently.
    pub rated: usize,
}

/// Replaces the rules of the console. The rules of the file stay below them.
#[utoipa::path(put, path = "/api/v1/drifts/rules", tag = "drifts", request_body = RuleSet,
    responses((status = 200, body = Success<SavedRules>)),
    security(("bearer" = ["admin"])))]
pub async fn save_rules(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    conditions: Conditions,
    ValidJson(set): ValidJson<RuleSet>,
) -> Result<HttpResponse, ApiError> {
    let expected = expected(&conditions)?;
    let request = serde_json::to_vec(&set).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        // A pattern that is no glob is refused before anything is stored.
        state.rules.with(&set).map_err(|error| written::refused(&error))?;
        let set = redacted(set, &state);
        let next = Model {
            version: lock(write, expected).await? + 1,
            rules: serde_json::to_string(&set.rules)?,
            alert_threshold: set.alert_threshold,
            by: write.actor.user_id.clone(),
            at: write.at,
            note: set.note,
            restored_from: None,
        };
        store(write, &state, next).await
    })
    .await
}

/// Restores an earlier version of the console's rules, as a new version. Version 0 has no rules.
#[utoipa::path(post, path = "/api/v1/drifts/rules/versions/{version}/restore", tag = "drifts",
    params(("version" = i32, Path)),
    responses((status = 200, body = Success<SavedRules>), (status = 404)),
    security(("bearer" = ["admin"])))]
pub async fn restore_rules(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    ValidPath(restored): ValidPath<i32>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    let expected = expected(&conditions)?;
    write::once(&state, caller, &conditions, b"", async |write| {
        let newest = lock(write, expected).await?;
        let (rules, alert_threshold) = match entity::by_number(&write.tx, restored).await? {
            Some(version) => (version.rules, version.alert_threshold),
            None if restored == 0 => ("[]".into(), None),
            None => return Err(DriftError::NotFound("version of the rules")),
        };
        let next = Model {
            version: newest + 1,
            rules,
            alert_threshold,
            by: write.actor.user_id.clone(),
            at: write.at,
            note: None,
            restored_from: Some(restored),
        };
        store(write, &state, next).await
    })
    .await
}

/// Redacts the texts for people.
fn redacted(mut set: RuleSet, state: &State) -> RuleSet {
    let redact = |note: &mut Option<String>| {
        *note = note.take().filter(|text| !text.is_empty()).map(|text| state.redacted(&text));
    };
    redact(&mut set.note);
    set.rules.iter_mut().for_each(|rule| redact(&mut rule.note));
    set
}

/// Returns the version that the caller has seen. A list replaces all rules, so that one made without the newest version
/// would remove the rules of somebody else.
fn expected(conditions: &Conditions) -> Result<i32, ApiError> {
    conditions.if_match.ok_or_else(|| {
        ApiError::validation(
            "If-Match",
            "is missing: send the version that the change begins with, such as \"v3\"",
        )
    })
}

/// Locks the rules and returns the newest version, which must be the expected one. Waits for ingests that use the rules
/// in force.
async fn lock(write: &Write, expected: i32) -> Result<i32, DriftError> {
    setting::lock(&write.tx, SETTING).await?;
    match entity::newest(&write.tx).await? {
        Some(Model { version, by, at, .. }) if version != expected => {
            Err(DriftError::RulesChanged { version, by, at })
        }
        None if expected != 0 => Err(DriftError::NotFound("version of the rules")),
        newest => Ok(newest.map_or(0, |newest| newest.version)),
    }
}

async fn store(write: &mut Write, state: &State, next: Model) -> Result<Reply<SavedRules>, DriftError> {
    let Model { version, restored_from, .. } = next;
    let in_force = Arc::new(state.rules.parse(&next)?);
    let reason = next.note.clone().or_else(|| restored_from.map(|restored| format!("restores v{restored}")));
    let action = if restored_from.is_some() { AuditAction::RulesRestore } else { AuditAction::RulesSave };
    entity::insert(&write.tx, next).await?;
    let record = Record { reason, ..Record::new(Subject::Rules { version }, action) };
    audit::record(&write.tx, &write.actor, write.at, vec![record]).await?;
    let applied = apply_locked(&mut write.tx, &write.actor, &in_force, &state.state_key, write.at).await?;
    write.tx.emit(RulesChanged { id: RULES_ID, version, by: write.actor.user_id.clone() });
    let saved = SavedRules { version, ignored: applied.ignored, rated: applied.rated };
    tracing::info!(version, ignored = saved.ignored, rated = saved.rated, "saved the rules of the console");
    Ok(Reply::ok(saved).with_version(version))
}
