//! Rates the live drifts again if the rules have changed since they were last applied.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::alert::AlertType;
use database::{Database, Transaction};
use scan::StateKey;
use scan::rerate::Rerated;
use scan::rules::Rules;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, DbErr};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::current::{CurrentRules, RulesInForce, SETTING};
use super::rate::rate_all;
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
const ROWS_AT_ONCE: u64 = 500;

/// The drifts that new rules have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    /// Drifts that are resolved, because the rules ignore them.
    pub ignored: usize,
    /// Drifts that have another severity or reason.
    pub rated: usize,
}

/// Applies the rules in force to the stored drifts, unless the same rules were applied last. Also logs the rules that
/// have never matched.
///
/// # Errors
/// If the database fails. Nothing has changed then.
pub(crate) async fn reapply(
    database: &Database,
    current: &CurrentRules,
    key: &StateKey,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut tx = database.begin().await?;
    // Locks the setting, so that only one of several processes applies the rules.
    let last = setting::lock(&tx, SETTING).await?;
    let rules = current.read(&tx).await?;
    report_unused(&tx, &rules.rules).await?;
    if last.as_deref() == Some(digest(&rules).as_str()) {
        return Ok(());
    }
    let applied = apply_locked(&mut tx, &Actor::service(), &rules, key, at).await?;
    tx.commit().await?;
    if applied != Applied::default() {
        let Applied { ignored, rated } = applied;
        tracing::info!(ignored, rated, "rated live drifts again with the current rules");
    }
    Ok(())
}

/// Applies rules to all live drifts. The transaction has locked the setting.
pub(super) async fn apply_locked(
    tx: &mut Transaction,
    actor: &Actor,
    rules: &Arc<RulesInForce>,
    key: &StateKey,
    at: DateTime<Utc>,
) -> Result<Applied, DbErr> {
    let (mut applied, mut after) = (Applied::default(), None);
    loop {
        let rows = live::live_after(tx, after, ROWS_AT_ONCE).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        let rated = rate_all(rows, Arc::clone(rules), key.clone()).await?;
        let (ignored, others): (Vec<_>, Vec<_>) =
            rated.into_iter().partition(|(_, rerated)| rerated.is_ignored);
        applied.ignored += ignored.len();
        ignore(tx, actor, ignored.into_iter().map(|(row, _)| row).collect(), at).await?;
        let mut news = News::default();
        for (row, rerated) in others {
            applied.rated += usize::from(change(tx, row, rerated, &rules.rules, at, &mut news).await?);
        }
        audit::record(tx, actor, at, news.records).await?;
        alert::raise_once(tx, actor, news.escalated).await?;
    }
    setting::store(tx, SETTING, &digest(rules)).await?;
    Ok(applied)
}

async fn report_unused(db: &impl ConnectionTrait, rules: &Rules) -> Result<(), DbErr> {
    let used = uses::all(db).await?;
    for rule in rules.listed() {
        if !used.iter().any(|used| used.rule == rule.text) {
            tracing::warn!(rule = ?rule.text, "this rule has not matched anything yet");
        }
    }
    Ok(())
}

async fn ignore(
    tx: &mut Transaction,
    actor: &Actor,
    rows: Vec<Model>,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    entity::resolve_locked(tx, &ids, ResolvedHow::Ignored, &actor.user_id, at).await?;
    let record = |row: &Model| Record::resolved(row.id, AuditAction::DriftResolve, row.status);
    audit::record(tx, actor, at, rows.iter().map(record).collect()).await?;
    rows.iter().for_each(|row| tx.emit(crate::drift::resolved(row, ResolvedHow::Ignored, at)));
    Ok(())
}

/// The rows that changed severities write, of many drifts at once.
#[derive(Default)]
struct News {
    records: Vec<Record>,
    escalated: Vec<alert::entity::Model>,
}

async fn change(
    tx: &mut Transaction,
    row: Model,
    rerated: Rerated,
    rules: &Rules,
    at: DateTime<Utc>,
    news: &mut News,
) -> Result<bool, DbErr> {
    let decidable = content::read_hashes(row.decidable.as_deref());
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
        news.records.push(Record {
            changed_fields: vec!["severity"],
            ..Record::of_drift(drift.id, AuditAction::DriftUpdate)
        });
        tx.emit(updated(&drift));
        if severity > before && drift.status == Status::Detected && severity >= rules.alert_threshold {
            news.escalated.push(alert::about(&drift, AlertType::SeverityEscalated, at));
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
        search_paths: Set(content::search_paths(&difference)),
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

fn digest(RulesInForce { version, rules }: &RulesInForce) -> String {
    let mut hash = Sha256::new();
    hash.update(BUILTIN);
    hash.update(rules.alert_threshold.into_str());
    for rule in rules.listed() {
        hash.update(&rule.text);
        hash.update([0]);
    }
    // Without a version, the digest is the one of releases without versions.
    if *version > 0 {
        hash.update(version.to_be_bytes());
    }
    hex::encode(hash.finalize())
}
