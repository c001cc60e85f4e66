use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use contracts::drift::{Kind, ResolvedHow, Severity, Status};
use legacy::{ImportReport, SourceTime};
use scan::{Criteria, Identity, Report};
use sea_orm::DbErr;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
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
use crate::stack;

/// The stack of drifts that name none, as in reports of single drifts.
pub(super) const STACK: &str = "default";
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
    expected_state: Option<Box<RawValue>>,
    actual_state: Option<Box<RawValue>>,
    difference: Option<Box<RawValue>>,
    severity: Option<String>,
    /// A number, or the text NaN.
    cost_impact_monthly: Option<Value>,
    detected_at: Option<SourceTime>,
    created_at: Option<SourceTime>,
    updated_at: Option<SourceTime>,
    #[serde(skip)]
    decision: LegacyDecision,
}

/// A row, read in two parts: a flattened part would not keep the exact texts of the states.
struct Row(LegacyDrift);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let row = Box::<RawValue>::deserialize(deserializer)?;
        let drift: LegacyDrift = serde_json::from_str(row.get()).map_err(D::Error::custom)?;
        let decision = serde_json::from_str(row.get()).map_err(D::Error::custom)?;
        Ok(Self(LegacyDrift { decision, ..drift }))
    }
}

impl Import<'_> {
    pub(super) async fn import_drifts(&self) -> Result<ImportReport> {
        let mut report = ImportReport::of("drifts");
        let mut live = LiveDrifts::default();
        // As reports of single drifts do, which must wait.
        stack::lock(self.tx, STACK).await?;
        let mut pages = self.source.read(QUERY).await.context("the drifts cannot be read")?;
        while let Some(page) = pages.next::<Row>(&mut report).await.context("the drifts cannot be read")? {
            let ids = page.iter().map(|Row(row)| row.id).collect::<Vec<_>>();
            let present = live::changed_at(self.tx, &ids).await?;
            let deleted = audit::entity::deleted(self.tx, &ids).await?;
            let mut rows = Vec::with_capacity(page.len());
            for Row(row) in page {
                match present.get(&row.id) {
                    Some(known) => {
                        report.present += 1;
                        if row.updated_at.is_some_and(|SourceTime(at)| at > *known) {
                            let remark =
                                "have changed in the old stack since they were imported; not updated";
                            report.remark(remark, row.id.to_string());
                        }
                    }
                    None if deleted.contains(&row.id) => report.present += 1,
                    None => rows.push(self.drift(row, &mut report)?),
                }
            }
            let rows = self.place(rows, &mut live, &mut report).await?;
            report.imported += rows.len() as u64;
            self.insert(rows).await?;
        }
        Ok(report)
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
                let others = live.account(&row.fingerprint);
                if row.account_id.is_some() && others.is_some() && others != row.account_id.as_ref() {
                    row.fingerprint =
                        fingerprint(&row.resource_type, &row.resource_id, row.account_id.as_deref());
                }
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
                        report.remark("replace another drift of their resource", row.resource_id.clone());
                        match placed.iter_mut().find(|other| other.id == id) {
                            Some(other) => supersede(other, row.detected_at.max(other.detected_at)),
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
        // As it is stored.
        let name = self.state.redacted(&resource_id);
        let resource_type = bounded(row.resource_type.unwrap_or_else(|| "unknown".into()), 256);
        let region = row.region.filter(|region| !region.is_empty() && region != "unknown");
        let region = region.map(|region| bounded(region, 64));
        let account_id = row.account_id.as_deref().and_then(|id| self.accounts.get(id));
        let severity = row.severity.as_deref().unwrap_or_default();
        let severity: Option<Severity> = severity.to_lowercase().parse().ok();
        if severity.is_none() {
            report.remark("have a severity that is unknown here; the rules rate them", name.clone());
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
            scan::read_report(found, Criteria { rules: self.rules, key: &self.state.state_key })
        };
        let mut finding = match read(expected.as_deref(), actual.as_deref()) {
            Ok(finding) => finding,
            Err(error) => {
                report.remark("have states that cannot be kept", format!("{name}: {error}"));
                read(None, None)?
            }
        };
        // Redaction can make a text longer.
        finding.resource_id = bounded(finding.resource_id, 1024);
        finding.address = finding.resource_id.clone();
        let created_at = row.created_at.map_or(self.now, |SourceTime(at)| at);
        let detected_at = row.detected_at.map_or(created_at, |SourceTime(at)| at);
        let updated_at = row.updated_at.map_or(created_at, |SourceTime(at)| at);
        let cost = row.cost_impact_monthly.map_or(Some(0.0), |cost| cost.as_f64());
        let money = Money::nearest(cost.unwrap_or_default());
        if cost.is_none_or(|cost| money.to_f64() != cost) {
            report.remark("have costs that cannot be kept; the nearest amount stays", name.clone());
        }
        let decision = CarriedDecision::read(row.decision, updated_at, &name, report);
        let new = NewDrift {
            fingerprint: fingerprint(&finding.resource_type, &finding.resource_id, None),
            finding,
            stack: STACK.into(),
            // The replaced stack stored 0 for an unknown cost.
            cost: (money != Money::default()).then_some(money),
            previous_drift_id: None,
            predecessor: None,
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

fn fingerprint(resource_type: &str, resource_id: &str, account: Option<&str>) -> String {
    Identity { stack: STACK, resource_type, resource_id, address: resource_id, account }.fingerprint()
}

fn supersede(row: &mut Model, at: chrono::DateTime<chrono::Utc>) {
    row.status = Status::Resolved;
    row.resolved_at = Some(at);
    row.resolved_by = Some(super::ACTOR.into());
    row.resolved_how = Some(ResolvedHow::Superseded);
}

/// The last parts of paths that do not say whether the value is a secret.
const VAGUE: [&str; 4] = ["value", "data", "content", "contents"];

type State = Option<Box<RawValue>>;

#[derive(Deserialize)]
struct PathChange {
    expected: State,
    actual: State,
}

/// Returns the expected and the actual state. If the source has neither, they are put together from the difference,
/// which maps each path to `{expected, actual}`.
fn states(expected: State, actual: State, difference: State) -> (State, State) {
    let full = |state: State| state.filter(|state| !matches!(state.get(), "null" | "{}"));
    let (expected, actual) = (full(expected), full(actual));
    if expected.is_some() || actual.is_some() {
        return (expected, actual);
    }
    let paths =
        difference.and_then(|paths| serde_json::from_str::<BTreeMap<String, PathChange>>(paths.get()).ok());
    let Some(mut paths) = paths else { return (None, None) };
    paths.retain(|path, _| path.rsplit('.').next().is_some_and(|last| !VAGUE.contains(&last)));
    let side = |of: fn(&PathChange) -> &State| {
        let values = paths.iter().filter_map(|(path, change)| Some((path, of(change).as_ref()?)));
        to_raw_value(&values.collect::<BTreeMap<_, _>>()).ok()
    };
    (side(|change| &change.expected), side(|change| &change.actual))
}

fn bounded(text: String, characters: usize) -> String {
    text.chars().take(characters).collect()
}
