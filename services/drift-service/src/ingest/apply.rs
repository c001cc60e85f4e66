//! Stores what reconciling a scan has found: rows, alerts, audit and events in one transaction, each
//! kind of row in as few statements as there can be.

use chrono::{DateTime, Utc};
use contracts::events::drift::{DriftResolved, DriftUpdated};
use outbox::Transaction;
use sea_orm::ActiveValue::Set;
use sea_orm::DbErr;
use uuid::Uuid;

use super::reconcile::Reconciliation;
use crate::access::Actor;
use crate::alert::{self, AlertType};
use crate::audit::{self, Record, Subject};
use crate::drift::entity::{self, ActiveModel, Live, Model};
use crate::drift::new::{NewDrift, announce_new, search_text};
use crate::drift::{ResolvedHow, Status};
use crate::money::Money;
use crate::rules::{Rules, Severity};
use crate::scan::Finding;

/// What the rows of a scan have in common.
pub struct Stamp<'a> {
    pub actor: &'a Actor,
    pub rules: &'a Rules,
    pub stack: &'a str,
    /// When the scanner ran.
    pub taken_at: DateTime<Utc>,
    pub now: DateTime<Utc>,
}

pub async fn apply(
    tx: &mut Transaction,
    reconciliation: Reconciliation,
    stamp: &Stamp<'_>,
) -> Result<(), DbErr> {
    let Reconciliation { seen_again, updated, superseded, new, gone } = reconciliation;
    entity::record_sightings(&**tx, &seen_again, stamp.taken_at).await?;
    update(tx, updated, stamp).await?;
    // Before the new rows: only one row of a fingerprint may be live.
    resolve(tx, superseded, ResolvedHow::Superseded, stamp).await?;
    resolve(tx, gone, ResolvedHow::Auto, stamp).await?;

    let mut alerts = Vec::new();
    let mut rows = Vec::with_capacity(new.len());
    for (sighting, previous_drift_id) in new {
        let raises = raises_alert(stamp.rules, sighting.finding.severity, sighting.finding.is_state_only);
        let row = NewDrift {
            finding: sighting.finding,
            fingerprint: sighting.fingerprint,
            stack: stamp.stack.into(),
            cost: sighting.cost,
            previous_drift_id,
            detected_at: stamp.taken_at,
        }
        .into_row(stamp.now);
        if raises {
            alerts.push(alert_about(&row, AlertType::DriftDetected, stamp.now));
        }
        rows.push(row);
    }
    insert(tx, rows, stamp).await?;
    alert::raise(tx, stamp.actor, alerts).await
}

/// Whether a drift is worth an alert. One in computed attributes alone never is.
pub fn raises_alert(rules: &Rules, severity: Severity, is_state_only: bool) -> bool {
    severity >= rules.alert_threshold && !(is_state_only && severity == Severity::Info)
}

fn alert_about(drift: &Model, alert_type: AlertType, at: DateTime<Utc>) -> alert::entity::Model {
    alert::about(drift.id, &drift.address, drift.kind, drift.severity, alert_type, at)
}

async fn insert(tx: &mut Transaction, rows: Vec<Model>, stamp: &Stamp<'_>) -> Result<(), DbErr> {
    let created = |row: &Model| Record {
        to: Some(row.status.into_str()),
        ..Record::new(Subject::Drift(row.id), "drift.create")
    };
    entity::insert(&**tx, &rows).await?;
    audit::record(&**tx, stamp.actor, stamp.now, rows.iter().map(created).collect()).await?;
    rows.iter().for_each(|row| announce_new(tx, row));
    Ok(())
}

async fn resolve(
    tx: &mut Transaction,
    drifts: Vec<Live>,
    how: ResolvedHow,
    stamp: &Stamp<'_>,
) -> Result<(), DbErr> {
    let ids: Vec<Uuid> = drifts.iter().map(|drift| drift.id).collect();
    entity::resolve_locked(&**tx, &ids, how, &stamp.actor.user_id, stamp.now).await?;
    let action = match how {
        ResolvedHow::Superseded => "drift.supersede",
        ResolvedHow::Auto | ResolvedHow::Manual => "drift.resolve",
    };
    let record = |drift: &Live| Record {
        from: Some(drift.status.into_str()),
        to: Some(Status::Resolved.into_str()),
        changed_fields: vec!["status"],
        ..Record::new(Subject::Drift(drift.id), action)
    };
    audit::record(&**tx, stamp.actor, stamp.now, drifts.iter().map(record).collect()).await?;
    for drift in drifts {
        tx.emit(DriftResolved {
            id: drift.id,
            status: Status::Resolved.into_str().into(),
            resolved_at: stamp.now,
            resolved_how: how.into_str().into(),
            account_id: drift.account_id,
        });
    }
    Ok(())
}

async fn update(tx: &mut Transaction, updated: Vec<(Live, Finding)>, stamp: &Stamp<'_>) -> Result<(), DbErr> {
    let mut records = Vec::with_capacity(updated.len());
    let mut escalated = Vec::new();
    for (drift, finding) in updated {
        let mut changed_fields = vec!["actualState", "expectedState", "difference"];
        if finding.severity != drift.severity {
            changed_fields.push("severity");
        }
        if finding.severity > drift.severity
            && raises_alert(stamp.rules, finding.severity, finding.is_state_only)
        {
            let (address, kind, severity) = (&finding.address, finding.kind, finding.severity);
            let kind_of_alert = AlertType::SeverityEscalated;
            escalated.push(alert::about(drift.id, address, kind, severity, kind_of_alert, stamp.now));
        }
        records.push(Record { changed_fields, ..Record::new(Subject::Drift(drift.id), "drift.update") });
        tx.emit(DriftUpdated {
            id: drift.id,
            status: drift.status.into_str().into(),
            severity: finding.severity.into_str().into(),
            cost_impact_monthly: Money { cents: drift.cost_cents }.to_f64(),
            region: drift.region,
            account_id: drift.account_id,
        });
        entity::update_seen(&**tx, drift.id, change(finding, stamp)).await?;
    }
    audit::record(&**tx, stamp.actor, stamp.now, records).await?;

    let ids: Vec<Uuid> = escalated.iter().filter_map(|alert| alert.drift_id).collect();
    let had = alert::entity::drifts_with(&**tx, AlertType::SeverityEscalated, &ids).await?;
    escalated.retain(|alert| alert.drift_id.is_some_and(|id| !had.contains(&id)));
    alert::raise(tx, stamp.actor, escalated).await
}

fn change(finding: Finding, stamp: &Stamp<'_>) -> ActiveModel {
    ActiveModel {
        search_text: Set(search_text(&finding)),
        kind: Set(finding.kind),
        address: Set(finding.address),
        severity: Set(finding.severity),
        severity_rank: Set(finding.severity.rank()),
        expected_state: Set(finding.expected_state),
        actual_state: Set(finding.actual_state),
        difference: Set(finding.difference),
        actual_hash: Set(finding.actual_hash),
        last_seen_at: Set(stamp.taken_at),
        updated_at: Set(stamp.now),
        ..ActiveModel::default()
    }
}
