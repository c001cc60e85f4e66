//! Writes the result of matching: rows, alerts, audit and events in one transaction. Unchanged, resolved and
//! new rows are written in bulk; each changed row takes one UPDATE.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::alert::AlertType;
use contracts::events::drift::DriftUpdated;
use database::Transaction;
use scan::rules::Rules;
use scan::{Change, Finding, Match};
use sea_orm::ActiveValue::Set;
use sea_orm::DbErr;
use uuid::Uuid;

use super::alerts::{of_new, raises_alert};
use super::costs::Costs;
use super::match_stored::{Matched, Previous};
use super::report::IngestedDrift;
use crate::actor::Actor;
use crate::alert;
use crate::audit::{self, AuditAction, Record};
use crate::drift::entity::{self, ActiveModel, Model};
use crate::drift::live::{Live, Predecessor, predecessors};
use crate::drift::new::{NewDrift, announce_new};
use crate::drift::{content, resolved_live, subject_of_live, watcher};
use crate::money::Money;

/// The values that all rows of a scan share.
pub struct Stamp<'a> {
    pub actor: &'a Actor,
    pub rules: &'a Rules,
    pub stack: &'a str,
    /// The scan that is written; `None` for a single report.
    pub scan_id: Option<Uuid>,
    pub costs: &'a Costs,
    /// The time at which the scanner ran.
    pub taken_at: DateTime<Utc>,
    pub now: DateTime<Utc>,
}

/// The rows that a scan writes, grouped by the kind of statement.
#[derive(Default)]
struct Plan {
    unchanged: Vec<Uuid>,
    learned: Vec<(Uuid, ActiveModel)>,
    rewritten: Vec<(Uuid, ActiveModel)>,
    updated: Vec<(Live, Finding, ActiveModel)>,
    superseded: Vec<Uuid>,
    new: Vec<(Finding, String, Option<Previous>)>,
}

/// Writes the changes of a scan. Returns the new and changed drifts.
pub async fn apply(
    tx: &mut Transaction,
    matched: Matched,
    stamp: &Stamp<'_>,
) -> Result<Vec<IngestedDrift>, DbErr> {
    let Matched { matches, resolved, live, previous, .. } = matched;
    let mut plan = Plan::default();
    for found in matches {
        sort_in(&mut plan, found, &live, &previous, stamp.costs);
    }
    entity::record_sightings(tx, &plan.unchanged, stamp.taken_at).await?;
    for (id, change) in plan.learned {
        let change = ActiveModel { updated_at: Set(stamp.now), ..change };
        entity::update_locked(tx, id, change, false, false).await?;
    }
    for (id, change) in plan.rewritten {
        entity::update_locked(tx, id, seen(change, stamp), false, true).await?;
    }
    let mut listed = update(tx, plan.updated, stamp).await?;
    // Resolved before new rows are inserted, because only one row of a fingerprint may be live.
    let of = |ids: Vec<Uuid>| ids.into_iter().filter_map(|id| live.get(&id).cloned()).collect::<Vec<Live>>();
    resolve(tx, of(plan.superseded), ResolvedHow::Superseded, stamp).await?;
    resolve(tx, of(resolved), ResolvedHow::Auto, stamp).await?;
    listed.extend(insert(tx, plan.new, stamp).await?);
    Ok(listed)
}

fn sort_in(
    plan: &mut Plan,
    found: Match<Uuid>,
    live: &HashMap<Uuid, Live>,
    previous: &HashMap<String, Previous>,
    costs: &Costs,
) {
    let Match { finding, fingerprint, learns, change } = found;
    let cost = costs.of(&finding);
    match change {
        Change::New => {
            let previous = previous.get(&fingerprint).copied();
            plan.new.push((finding, fingerprint, previous));
        }
        Change::Superseded { id } => {
            plan.superseded.push(id);
            plan.new.push((finding, fingerprint, Some(Previous { id, is_same: true })));
        }
        Change::Unchanged { id } => {
            plan.unchanged.push(id);
            let Some(row) = live.get(&id) else { return };
            let cost = cost.filter(|_| !row.is_cost_known);
            if learns {
                plan.learned.push((id, with_cost(content::place_of(&finding, fingerprint, row), cost)));
            } else if cost.is_some() {
                plan.learned.push((id, with_cost(ActiveModel::default(), cost)));
            }
        }
        Change::Adopted { id } => {
            if let Some(row) = live.get(&id) {
                let change = content::of(finding, fingerprint, row, row.is_severity_manual);
                plan.rewritten.push((id, with_cost(change, cost)));
            }
        }
        Change::Updated { id } => {
            if let Some(row) = live.get(&id) {
                let change = content::of(finding.clone(), fingerprint, row, row.is_severity_manual);
                // A snooze covers the values that a person has seen.
                let change = ActiveModel { snoozed_until: Set(None), ..change };
                plan.updated.push((row.clone(), finding, with_cost(change, cost)));
            }
        }
        Change::Refreshed { id } => {
            if let Some(row) = live.get(&id) {
                let mut change = content::of(finding.clone(), fingerprint, row, row.is_severity_manual);
                // The decision still covers the values that it was made on.
                change.decidable.take();
                plan.updated.push((row.clone(), finding, with_cost(change, cost)));
            }
        }
    }
}

/// Sets a cost that is known; otherwise the stored one stays.
fn with_cost(change: ActiveModel, cost: Option<Money>) -> ActiveModel {
    match cost {
        Some(cost) => ActiveModel { cost_cents: Set(cost.cents), is_cost_known: Set(true), ..change },
        None => change,
    }
}

fn seen(change: ActiveModel, stamp: &Stamp<'_>) -> ActiveModel {
    ActiveModel { last_seen_at: Set(stamp.taken_at), updated_at: Set(stamp.now), ..change }
}

async fn insert(
    tx: &mut Transaction,
    new: Vec<(Finding, String, Option<Previous>)>,
    stamp: &Stamp<'_>,
) -> Result<Vec<IngestedDrift>, DbErr> {
    let last: Vec<Uuid> = new.iter().filter_map(|(.., previous)| previous.map(|it| it.id)).collect();
    let mut last: HashMap<Uuid, Predecessor> =
        predecessors(tx, &last).await?.into_iter().map(|drift| (drift.id, drift)).collect();
    let mut alarming = Vec::new();
    let mut succeeded = Vec::new();
    let mut rows = Vec::with_capacity(new.len());
    for (finding, fingerprint, previous) in new {
        let raises = raises_alert(stamp.rules, finding.severity, finding.is_state_only);
        let row = NewDrift {
            cost: stamp.costs.of(&finding),
            finding,
            fingerprint,
            stack: stamp.stack.into(),
            previous_drift_id: previous.filter(|it| it.is_same).map(|it| it.id),
            predecessor: previous.and_then(|it| last.remove(&it.id)),
            detected_at: stamp.taken_at,
        }
        .into_row(stamp.now);
        succeeded.extend(previous.map(|it| (it.id, row.id)));
        if raises {
            alarming.push(row.clone());
        }
        rows.push(row);
    }
    let created = |row: &Model| Record {
        to: Some(row.status.into_str()),
        ..Record::of_drift(row.id, AuditAction::DriftCreate)
    };
    entity::insert(tx, &rows).await?;
    watcher::hand_on(tx, &succeeded).await?;
    audit::record(tx, stamp.actor, stamp.now, rows.iter().map(created).collect()).await?;
    rows.iter().for_each(|row| announce_new(tx, row));
    let mut alerts = of_new(&alarming, stamp.stack, stamp.now);
    alerts.iter_mut().for_each(|alert| alert.scan_id = stamp.scan_id);
    alert::raise(tx, stamp.actor, alerts).await?;
    Ok(rows.iter().map(|row| listed(row.id, row.into(), stamp, change_of(row.previous_drift_id))).collect())
}

/// A drift that replaces another one is reported as changed.
fn change_of(previous: Option<Uuid>) -> &'static str {
    if previous.is_some() { "changed" } else { "created" }
}

struct Listed<'a> {
    address: &'a str,
    kind: contracts::drift::Kind,
    severity: Severity,
    reason: Option<&'a str>,
}

impl<'a> From<&'a Model> for Listed<'a> {
    fn from(row: &'a Model) -> Self {
        Self {
            address: &row.address,
            kind: row.kind,
            severity: row.severity,
            reason: row.severity_reason.as_deref(),
        }
    }
}

fn listed(id: Uuid, drift: Listed<'_>, stamp: &Stamp<'_>, change: &'static str) -> IngestedDrift {
    IngestedDrift {
        id: Some(id),
        stack: stamp.stack.into(),
        address: drift.address.into(),
        kind: drift.kind,
        severity: drift.severity,
        reason: drift.reason.map(Into::into),
        change,
    }
}

async fn resolve(
    tx: &mut Transaction,
    drifts: Vec<Live>,
    how: ResolvedHow,
    stamp: &Stamp<'_>,
) -> Result<(), DbErr> {
    let ids: Vec<Uuid> = drifts.iter().map(|drift| drift.id).collect();
    entity::resolve_locked(tx, &ids, how, &stamp.actor.user_id, stamp.now).await?;
    let action =
        if how == ResolvedHow::Superseded { AuditAction::DriftSupersede } else { AuditAction::DriftResolve };
    let record = |drift: &Live| Record::resolved(drift.id, action, drift.status);
    audit::record(tx, stamp.actor, stamp.now, drifts.iter().map(record).collect()).await?;
    for drift in drifts {
        tx.emit(resolved_live(drift, stamp.stack, how, stamp.now));
    }
    Ok(())
}

async fn update(
    tx: &mut Transaction,
    updated: Vec<(Live, Finding, ActiveModel)>,
    stamp: &Stamp<'_>,
) -> Result<Vec<IngestedDrift>, DbErr> {
    let mut records = Vec::with_capacity(updated.len());
    let mut escalated = Vec::new();
    let mut changed = Vec::new();
    for (drift, finding, change) in updated {
        let severity = if drift.is_severity_manual { drift.severity } else { finding.severity };
        let cost = stamp.costs.of(&finding).unwrap_or(Money { cents: drift.cost_cents });
        let mut changed_fields = vec!["actualState", "expectedState", "difference"];
        if severity != drift.severity {
            changed_fields.push("severity");
        }
        if severity > drift.severity && raises_alert(stamp.rules, severity, finding.is_state_only) {
            let alert_type = AlertType::SeverityEscalated;
            let address = &finding.address;
            escalated.push(alert::entity::Model {
                stack: Some(stamp.stack.into()),
                scan_id: stamp.scan_id,
                ..alert::about_address(drift.id, address, finding.kind, severity, alert_type, stamp.now)
            });
        }
        records.push(Record { changed_fields, ..Record::of_drift(drift.id, AuditAction::DriftUpdate) });
        tx.emit(DriftUpdated {
            id: drift.id,
            subject: subject_of_live(&drift, stamp.stack, severity),
            status: drift.status,
            version: drift.version + 1,
            cost_impact_monthly: cost.to_f64(),
            region: finding.region.clone().or_else(|| content::known(&drift.region)),
            account_id: finding.account_id.clone().or(drift.account_id),
        });
        if drift.status == Status::Detected {
            let shown =
                Listed { address: &finding.address, kind: finding.kind, severity, reason: finding.reason };
            changed.push(listed(drift.id, shown, stamp, "changed"));
        }
        entity::update_locked(tx, drift.id, seen(change, stamp), true, true).await?;
    }
    audit::record(tx, stamp.actor, stamp.now, records).await?;
    alert::raise_once(tx, stamp.actor, escalated).await?;
    Ok(changed)
}
