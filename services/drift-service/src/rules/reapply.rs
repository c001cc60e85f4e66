//! Rates the live drifts again if the rules have changed since they were last applied.

use chrono::{DateTime, Utc};
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::alert::AlertType;
use database::{Database, Transaction};
use scan::StateKey;
use scan::rerate::{RatedDrift, Rerated, rerate};
use scan::rules::{Rules, Subject};
use sea_orm::ActiveValue::Set;
use sea_orm::DbErr;
use sha2::{Digest, Sha256};

use super::uses;
use crate::actor::Actor;
use crate::alert;
use crate::audit::{self, AuditAction, Record};
use crate::drift::entity::{self, ActiveModel, Model};
use crate::drift::live;
use crate::drift::{content, updated};
use crate::setting;

/// The version of the built-in rules. A release that changes the rules increments it, so that all drifts are
/// rated again.
const BUILTIN: &str = "2";
const SETTING: &str = "rules";
const ROWS_AT_ONCE: u64 = 500;

/// Applies the rules to the stored drifts, unless the same rules were applied last. Also logs the rules that
/// have never matched.
///
/// # Errors
/// If the database fails. Nothing has changed then.
pub async fn reapply(
    database: &Database,
    rules: &Rules,
    key: &StateKey,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    report_unused(database, rules).await?;
    let digest = digest(rules);
    let mut tx = database.begin().await?;
    // Locks the setting, so that only one of several processes applies the rules.
    if setting::lock(&tx, SETTING).await?.as_deref() == Some(digest.as_str()) {
        return Ok(());
    }
    let (mut rerated, mut after) = (0, None);
    loop {
        let rows = live::live_after(&tx, after, ROWS_AT_ONCE).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        for row in rows {
            rerated += usize::from(apply_to(&mut tx, row, rules, key, at).await?);
        }
    }
    setting::store(&tx, SETTING, &digest).await?;
    tx.commit().await?;
    if rerated > 0 {
        tracing::info!(drifts = rerated, "rated live drifts again with the current rules");
    }
    Ok(())
}

async fn report_unused(database: &Database, rules: &Rules) -> Result<(), DbErr> {
    let used = uses::all(database).await?;
    for rule in rules.listed() {
        if !used.iter().any(|used| used.rule == rule.text) {
            tracing::warn!(rule = ?rule.text, "this rule has not matched anything yet");
        }
    }
    Ok(())
}

async fn apply_to(
    tx: &mut Transaction,
    row: Model,
    rules: &Rules,
    key: &StateKey,
    at: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let actor = Actor::service();
    let decidable = content::read_hashes(row.decidable.as_deref());
    let rerated = rerate(
        RatedDrift {
            subject: Subject {
                stack: &row.stack,
                address: &row.address,
                resource_type: &row.resource_type,
                kind: row.kind,
            },
            expected_state: row.expected_state.as_deref(),
            actual_state: row.actual_state.as_deref(),
            difference: &row.difference,
            reason: row.severity_reason.as_deref(),
            decidable: decidable.clone().unwrap_or_default(),
        },
        rules,
        key,
    );
    if rerated.is_ignored {
        let from = row.status;
        entity::resolve_locked(tx, &[row.id], ResolvedHow::Ignored, &actor.user_id, at).await?;
        let record = Record::resolved(row.id, AuditAction::DriftResolve, from);
        audit::record(tx, &actor, at, vec![record]).await?;
        tx.emit(crate::drift::resolved(&row, ResolvedHow::Ignored, at));
        return Ok(true);
    }
    let severity = if row.is_severity_manual { row.severity } else { rerated.severity };
    let is_same = severity == row.severity
        && rerated.reason == row.severity_reason
        && decidable.as_ref().is_none_or(|known| *known == rerated.decidable)
        && rerated.difference == row.difference;
    if is_same {
        return Ok(false);
    }
    let before = row.severity;
    let drift = store(tx, row, rerated, severity, decidable.is_some(), at).await?;
    if severity != before {
        let record = Record {
            changed_fields: vec!["severity"],
            ..Record::of_drift(drift.id, AuditAction::DriftUpdate)
        };
        audit::record(tx, &actor, at, vec![record]).await?;
        tx.emit(updated(&drift));
        if severity > before && drift.status == Status::Detected && severity >= rules.alert_threshold {
            let escalated = alert::about(&drift, AlertType::SeverityEscalated, at);
            alert::raise_once(tx, &actor, vec![escalated]).await?;
        }
    }
    Ok(true)
}

async fn store(
    tx: &mut Transaction,
    row: Model,
    rerated: Rerated,
    severity: Severity,
    has_hashes: bool,
    at: DateTime<Utc>,
) -> Result<Model, DbErr> {
    let is_open = row.status == Status::Detected;
    let Rerated { reason, difference, decidable, actual_hash, .. } = rerated;
    let mut change = ActiveModel {
        severity: Set(severity),
        severity_rank: Set(severity.rank()),
        severity_reason: Set(reason.clone()),
        difference: Set(difference.clone()),
        // Cleared, so that the next scan is compared by the hash of the actual state alone.
        shown_hash: Set(None),
        updated_at: Set(at),
        ..ActiveModel::default()
    };
    // A decision keeps covering the values that it was made on, so only undecided drifts get new hashes.
    if is_open && has_hashes {
        change.decidable = Set(Some(content::write_hashes(&decidable)));
        if let Some(hash) = actual_hash {
            change.actual_hash = Set(hash);
        }
    }
    let changes_severity = severity != row.severity;
    entity::update_locked(tx, row.id, change, changes_severity, false).await?;
    let version = row.version + i32::from(changes_severity);
    Ok(Model { severity, severity_reason: reason, difference, version, ..row })
}

fn digest(rules: &Rules) -> String {
    let mut hash = Sha256::new();
    hash.update(BUILTIN);
    hash.update(rules.alert_threshold.into_str());
    for rule in rules.listed() {
        hash.update(&rule.text);
        hash.update([0]);
    }
    hex::encode(hash.finalize())
}
