//! Stores the scans of an upload: matching, drifts, and the row of each scan.

use std::time::Instant;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use contracts::drift::Severity;
use contracts::scan::Completeness;
use http::Caller;
use scan::rules::Rules;
use scan::{Change, Origin, Scan};
use uuid::Uuid;

use super::costs::Costs;
use super::match_stored::{Coverage, Matched, match_stored};
use super::query::IngestQuery;
use super::report::{IngestReport, IngestedDrift, StackReport};
use super::{Stamp, apply};
use crate::actor::Actor;
use crate::error::DriftError;
use crate::rules::note_uses;
use crate::scans::{self, ScanResult};
use crate::write::Write;
use crate::{State, stack};

/// The maximum time by which a scanner's clock may be ahead.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// Maximum number of warnings that are stored with a scan.
const MAX_STORED_WARNINGS: usize = 20;
const NOTHING_PRICED: &str = "the costs of Infracost are those of no drift. Estimate them for a plan that would undo the drift, \
                              made without -refresh-only";
const NOT_DECLARED: &str =
    "the upload does not say that it covers the whole stack. If it does, add complete=true";

/// The reading of an upload.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// The rules that rated it.
    pub rules: &'a Rules,
    pub started: Instant,
}

/// Stores all scans of an upload.
pub(super) async fn ingest(
    write: &mut Write,
    state: &State,
    query: &IngestQuery,
    (mut scans, costs): (Vec<Scan>, Costs),
    reading: Reading<'_>,
) -> Result<IngestReport, DriftError> {
    let mut report = IngestReport { dry_run: query.dry_run, ..IngestReport::default() };
    // In the order of stacks, so that two uploads cannot wait for each other.
    scans.sort_by(|one, other| one.stack.cmp(&other.stack));
    for scan in scans {
        ingest_stack(write, state, query, scan, &costs, reading, &mut report).await?;
    }
    let report = report.finish();
    let IngestReport { created, unchanged, changed, resolved, dry_run, .. } = report;
    tracing::info!(stack = ?query.stack, created, unchanged, changed, resolved, dry_run, "ingested a scan");
    Ok(report)
}

async fn ingest_stack(
    write: &mut Write,
    state: &State,
    query: &IngestQuery,
    mut scan: Scan,
    costs: &Costs,
    Reading { rules, started }: Reading<'_>,
    report: &mut IngestReport,
) -> Result<(), DriftError> {
    let taken_at = taken_at(&scan, write.at)?;
    let account_id = query.account_id.as_deref();
    let stack = stack::lock(&write.tx, &scan.stack).await?;
    let scope = stack::scope::find_or_create(&write.tx, &scan.stack, account_id.unwrap_or_default()).await?;
    if let Some(last) = scope.last_scan_at
        && taken_at < last
    {
        return Err(DriftError::StaleScan { last });
    }
    let (completeness, reason) = completeness(&mut scan, query);
    let is_complete = completeness == Completeness::Complete;
    let coverage = Coverage { account_id, is_complete };
    let matched = match_stored(&write.tx, &mut scan, coverage, rules).await?;
    if matches!(costs, Costs::Estimated(_)) && !prices_any(costs, &matched) {
        scan.warnings.push(NOTHING_PRICED.into());
    }
    let (counts, scan_id) = (count(&scan.stack, &matched), Uuid::now_v7());
    let result = ScanResult {
        id: scan_id,
        origin: scan.origin,
        taken_at: Some(taken_at),
        completeness,
        reason,
        counts: counts.clone(),
        ignored: scan.ignored,
        skipped: scan.skipped,
        warnings: scan.warnings.iter().take(MAX_STORED_WARNINGS).cloned().collect(),
        duration_millis: 0,
    };
    report.ignored += scan.ignored;
    report.skipped += scan.skipped;
    for (reason, count) in std::mem::take(&mut scan.skipped_reasons) {
        *report.skipped_reasons.entry(reason).or_default() += count;
    }
    report.warnings.append(&mut scan.warnings);
    report.add(counts);
    if query.dry_run {
        report.drifts.extend(preview(&scan.stack, &matched));
        return Ok(());
    }
    note_uses(&write.tx, rules, &scan.rule_uses, write.at).await?;
    let stamp = Stamp {
        actor: &write.actor,
        rules,
        stack: &scan.stack,
        scan_id: Some(scan_id),
        costs,
        taken_at,
        now: write.at,
    };
    report.drifts.extend(apply(&mut write.tx, matched, &stamp).await?);
    let duration_millis = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    let result = ScanResult { duration_millis, ..result };
    let provenance = query.provenance(state);
    scans::record(&mut write.tx, &stack, &provenance, result, &write.actor, write.at).await?;
    Ok(())
}

/// Stores that an upload for a known stack was refused: the stack is blind until the next scan. `reason` contains no
/// text of the upload.
pub(super) async fn record_refusal(
    state: &State,
    caller: Caller,
    query: &IngestQuery,
    reason: String,
    started: Instant,
) -> Result<(), DriftError> {
    let now = state.platform.clock().now();
    let mut tx = state.database.begin().await?;
    let Some(stack) = stack::entity::lock_existing(&tx, &query.stack).await? else { return Ok(()) };
    let result = ScanResult {
        id: Uuid::now_v7(),
        origin: Origin::default(),
        taken_at: None,
        completeness: Completeness::Failed,
        reason: Some(reason),
        counts: StackReport::default(),
        ignored: 0,
        skipped: 0,
        warnings: Vec::new(),
        duration_millis: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
    };
    scans::record(&mut tx, &stack, &query.provenance(state), result, &Actor::from(caller), now).await?;
    Ok(tx.commit().await?)
}

/// Returns the time at which the scanner ran, truncated to the microseconds that the database stores.
fn taken_at(scan: &Scan, now: DateTime<Utc>) -> Result<DateTime<Utc>, DriftError> {
    let taken_at = scan.taken_at.map_or(now, |taken_at| taken_at.trunc_subsecs(6));
    let invalid = |message: &str| DriftError::Invalid { field: "timestamp", message: message.into() };
    if !contracts::is_plausible(taken_at) {
        return Err(invalid("is not between the years 1970 and 9999"));
    }
    if taken_at > now + CLOCK_SKEW {
        return Err(invalid("is more than 5 minutes in the future"));
    }
    Ok(taken_at)
}

/// Returns how much of its stack a scan covers, and the reason if that is not all. Drifts that a complete scan does not
/// show are resolved. If the caller asked for that in vain, the reason becomes a warning.
fn completeness(scan: &mut Scan, query: &IngestQuery) -> (Completeness, Option<String>) {
    let is_assumed = query.assume_complete;
    let against = scan.incomplete.take().filter(|incomplete| !(incomplete.is_assumable && is_assumed));
    match against {
        Some(incomplete) => {
            if query.complete {
                scan.warnings.push(format!("nothing is resolved: {}", incomplete.reason));
            }
            (Completeness::Partial, Some(incomplete.reason))
        }
        None if query.complete => (Completeness::Complete, None),
        None => (Completeness::Partial, Some(NOT_DECLARED.into())),
    }
}

/// Whether a drift has an estimate. No drift needs none.
fn prices_any(costs: &Costs, matched: &Matched) -> bool {
    matched.matches.is_empty() || matched.matches.iter().any(|found| costs.of(&found.finding).is_some())
}

fn count(stack: &str, matched: &Matched) -> StackReport {
    let mut counts =
        StackReport { stack: stack.into(), resolved: matched.resolved.len(), ..StackReport::default() };
    for found in &matched.matches {
        match found.change {
            Change::New => {
                counts.created += 1;
                counts.created_critical += usize::from(found.finding.severity == Severity::Critical);
            }
            Change::Updated { .. } | Change::Superseded { .. } => counts.changed += 1,
            Change::Unchanged { .. } | Change::Adopted { .. } | Change::Refreshed { .. } => {
                counts.unchanged += 1
            }
        }
    }
    counts
}

/// The drifts that a dry run would write.
fn preview(stack: &str, matched: &Matched) -> Vec<IngestedDrift> {
    let shown = |found: &scan::Match<uuid::Uuid>| {
        let change = match found.change {
            Change::New => "created",
            Change::Updated { .. } | Change::Superseded { .. } => "changed",
            _ => return None,
        };
        let finding = &found.finding;
        Some(IngestedDrift {
            id: None,
            stack: stack.into(),
            address: finding.address.clone(),
            kind: finding.kind,
            severity: finding.severity,
            reason: finding.reason.map(Into::into),
            change,
        })
    };
    matched.matches.iter().filter_map(shown).collect()
}
