use anyhow::{Context, Result};
use chrono::TimeDelta;
use contracts::drift::{Kind, ResolvedHow, Severity, Status};
use legacy::{ImportReport, SourceTime};
use scan::{Criteria, Finding, Identity, Report};
use sea_orm::DbErr;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Import;
use super::decision::{CarriedDecision, LegacyDecision, Made};
use super::live_drifts::{Candidate, LiveDrifts, Place};
use crate::actor::Actor;
use crate::audit::{self, AuditAction, Record};
use crate::drift::entity::{self, Model};
use crate::drift::live;
use crate::drift::new::NewDrift;
use crate::money::Money;

/// The stack of drifts that name none, as in reports of single drifts.
const STACK: &str = "default";
/// Decided drifts first, then newer before older; see [`LiveDrifts`].
const QUERY: &str = "SELECT * FROM drifts AS d \
    ORDER BY (lower(d.status::text) IN ('approved', 'rejected')) DESC, d.detected_at DESC, d.id";

#[derive(Deserialize)]
struct LegacyDrift {
    id: Uuid,
    resource_id: Option<String>,
    resource_type: Option<String>,
    region: Option<String>,
    account_id: Option<String>,
    expected_state: Option<Value>,
    actual_state: Option<Value>,
    difference: Option<Value>,
    severity: Option<String>,
    cost_impact_monthly: Option<f64>,
    detected_at: Option<SourceTime>,
    created_at: Option<SourceTime>,
    updated_at: Option<SourceTime>,
    #[serde(flatten)]
    decision: LegacyDecision,
}

impl Import<'_> {
    pub(super) async fn import_drifts(&self) -> Result<ImportReport> {
        let mut report = ImportReport::of("drifts");
        let mut live = LiveDrifts::default();
        let mut pages = self.source.read(QUERY).await.context("the drifts cannot be read")?;
        loop {
            let page: Vec<LegacyDrift> = pages.next().await.context("the drifts cannot be read")?;
            if page.is_empty() {
                return Ok(report);
            }
            let ids = page.iter().map(|row| row.id).collect::<Vec<_>>();
            let present = live::existing(self.tx, &ids).await?;
            report.present += present.len() as u64;
            let new = page.into_iter().filter(|row| !present.contains(&row.id));
            let rows = new.map(|row| self.drift(row, &mut report)).collect::<Result<Vec<_>>>()?;
            let rows = self.place(rows, &mut live, &mut report).await?;
            report.imported += rows.len() as u64;
            self.insert(rows).await?;
        }
    }

    /// Makes one drift of each resource live.
    async fn place(
        &self,
        rows: Vec<Model>,
        live: &mut LiveDrifts,
        report: &mut ImportReport,
    ) -> Result<Vec<Model>, DbErr> {
        let fingerprints = rows.iter().map(|row| row.fingerprint.as_str()).collect::<Vec<_>>();
        for row in live::of_fingerprints(self.tx, &fingerprints).await? {
            live.know(&row);
        }
        let mut placed = Vec::<Model>::with_capacity(rows.len());
        for mut row in rows {
            if row.status != Status::Resolved {
                match live.add(&row.fingerprint, Candidate::from(&row)) {
                    Place::Live => {}
                    Place::Superseded { at } => {
                        report.remark(
                            "are older drifts of a resource that has another one",
                            row.resource_id.clone(),
                        );
                        supersede(&mut row, at);
                    }
                    Place::Replaces(id) => {
                        report.remark("replace an older decision on another state", row.resource_id.clone());
                        match placed.iter_mut().find(|other| other.id == id) {
                            Some(other) => supersede(other, row.detected_at),
                            None => {
                                let (how, at) = (ResolvedHow::Superseded, row.detected_at);
                                entity::resolve_locked(self.tx, &[id], how, super::ACTOR, at).await?;
                            }
                        }
                    }
                }
            }
            placed.push(row);
        }
        Ok(placed)
    }

    async fn insert(&self, rows: Vec<Model>) -> Result<(), DbErr> {
        let imported = |row: &Model| Record {
            to: Some(row.status.into_str()),
            ..Record::of_drift(row.id, AuditAction::DriftImport)
        };
        let actor = Actor { user_id: super::ACTOR.into(), ..Actor::service() };
        entity::insert(self.tx, &rows).await?;
        audit::record(self.tx, &actor, self.now, rows.iter().map(imported).collect()).await
    }

    fn drift(&self, row: LegacyDrift, report: &mut ImportReport) -> Result<Model> {
        let resource_id = bounded(row.resource_id.unwrap_or_else(|| row.id.to_string()), 1024);
        let resource_type = bounded(row.resource_type.unwrap_or_else(|| "unknown".into()), 256);
        let region = row.region.filter(|region| !region.is_empty() && region != "unknown");
        let region = region.map(|region| bounded(region, 64));
        let account_id = row.account_id.as_deref().and_then(|id| self.accounts.get(id));
        let severity = row.severity.as_deref().unwrap_or_default();
        let severity: Option<Severity> = severity.to_lowercase().parse().ok();
        if severity.is_none() {
            report.remark("have a severity that is unknown here; the rules rate them", resource_id.clone());
        }
        let (expected, actual) = states(row.expected_state, row.actual_state, row.difference);
        let read = |expected: Option<&RawValue>, actual: Option<&RawValue>| {
            let (kind, address) = (Kind::Changed, resource_id.clone());
            let found = Report {
                kind,
                stack: STACK,
                address,
                resource_type: resource_type.clone(),
                resource_id: resource_id.clone(),
                region: region.as_deref(),
                account_id: account_id.as_deref(),
                expected_state: expected,
                actual_state: actual,
                severity,
            };
            scan::read_report(found, Criteria { rules: &self.state.rules, key: &self.state.state_key })
        };
        let finding = match read(expected.as_deref(), actual.as_deref()) {
            Ok(finding) => finding,
            Err(error) => {
                report.remark("have states that cannot be kept", format!("{resource_id}: {error}"));
                read(None, None)?
            }
        };
        let created_at = row.created_at.map_or(self.now, |SourceTime(at)| at);
        let detected_at = row.detected_at.map_or(created_at, |SourceTime(at)| at);
        let updated_at = row.updated_at.map_or(created_at, |SourceTime(at)| at);
        let cost = Money::nearest(row.cost_impact_monthly.unwrap_or_default());
        let decision = CarriedDecision::read(row.decision, updated_at, &resource_id, report);
        let new = NewDrift {
            fingerprint: fingerprint(&finding),
            finding,
            stack: STACK.into(),
            cost,
            previous_drift_id: None,
            detected_at,
        };
        let row = Model { id: row.id, created_at, updated_at, ..new.into_row(self.now) };
        Ok(self.with_decision(row, decision))
    }

    fn with_decision(&self, row: Model, decision: CarriedDecision) -> Model {
        let seconds =
            decision.made_at().map(|at| (at - row.detected_at).max(TimeDelta::zero()).num_seconds());
        let (resolved_at, resolved_how) = decision.resolved.unzip();
        let columns = |made: Option<Made>| {
            made.map_or((None, None, None), |made| (Some(made.at), made.by, self.text(made.reason, 2_000)))
        };
        let (approved_at, approved_by, approved_reason) = columns(decision.approved);
        let (rejected_at, rejected_by, rejected_reason) = columns(decision.rejected);
        Model {
            status: decision.status,
            approved_at,
            approved_by,
            approved_reason,
            rejected_at,
            rejected_by,
            rejected_reason,
            decision_seconds: seconds,
            resolved_at,
            resolved_how,
            ..row
        }
    }
}

fn fingerprint(finding: &Finding) -> String {
    Identity {
        stack: STACK,
        resource_type: &finding.resource_type,
        resource_id: &finding.resource_id,
        address: &finding.address,
        account: None,
    }
    .fingerprint()
}

fn supersede(row: &mut Model, at: chrono::DateTime<chrono::Utc>) {
    row.status = Status::Resolved;
    row.resolved_at = Some(at);
    row.resolved_by = Some(super::ACTOR.into());
    row.resolved_how = Some(ResolvedHow::Superseded);
}

/// Returns the expected and the actual state. If the source has neither, they are put together from the difference,
/// which maps each path to `{expected, actual}`.
fn states(
    expected: Option<Value>,
    actual: Option<Value>,
    difference: Option<Value>,
) -> (Option<Box<RawValue>>, Option<Box<RawValue>>) {
    let full = |state: &Option<Value>| {
        state.as_ref().is_some_and(|state| *state != Value::Null && *state != Value::Object(Map::new()))
    };
    let (expected, actual) = if full(&expected) || full(&actual) {
        (expected, actual)
    } else {
        let Some(Value::Object(paths)) = difference else { return (None, None) };
        let side = |name: &str| {
            let values =
                paths.iter().filter_map(|(path, change)| Some((path.clone(), change.get(name)?.clone())));
            Some(Value::Object(values.collect()))
        };
        (side("expected"), side("actual"))
    };
    let raw = |state: Option<Value>| {
        state.filter(|state| *state != Value::Null).and_then(|state| to_raw_value(&state).ok())
    };
    (raw(expected), raw(actual))
}

fn bounded(text: String, characters: usize) -> String {
    text.chars().take(characters).collect()
}
