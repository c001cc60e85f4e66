use actix_web::HttpResponse;
use actix_web::web::Data;
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::alert::AlertType;
use contracts::events::drift::DriftResolved;
use http::openapi::{Done, Success};
use http::{Admin, ApiError, Engineer, NoQuery, ValidJson, ValidPath};
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::super::DriftView;
use super::super::entity::{self, ActiveModel, Model};
use super::super::events::updated;
use crate::alert;
use crate::audit::{self, AuditAction, Record, Subject};
use crate::error::DriftError;
use crate::money::Money;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write};
use crate::{State, ingest};

/// A correction of what a scan found. At least one field is required.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftChange {
    severity: Option<Severity>,
    #[schema(value_type = Option<f64>)]
    cost_impact_monthly: Option<Money>,
    #[validate(length(min = 1, max = 64), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 64)]
    region: Option<String>,
}

impl DriftChange {
    /// The names of the fields that would change.
    fn changed_fields(&self, drift: &Model) -> Vec<&'static str> {
        let cost = drift.is_cost_known.then_some(Money { cents: drift.cost_cents });
        [
            ("severity", self.severity.is_some_and(|severity| severity != drift.severity)),
            ("costImpactMonthly", self.cost_impact_monthly.is_some_and(|amount| Some(amount) != cost)),
            ("region", self.region.as_ref().is_some_and(|region| *region != drift.region)),
        ]
        .into_iter()
        .filter_map(|(name, is_changed)| is_changed.then_some(name))
        .collect()
    }

    /// Keeps the fingerprint, by which later scans recognise the drift.
    fn to_row(&self, drift: &Model) -> ActiveModel {
        let severity = self.severity.unwrap_or(drift.severity);
        let cost = self.cost_impact_monthly.map_or(drift.cost_cents, |cost| cost.cents);
        ActiveModel {
            is_severity_manual: Set(self.severity.is_some() || drift.is_severity_manual),
            severity: Set(severity),
            severity_rank: Set(severity.rank()),
            cost_cents: Set(cost),
            is_cost_known: Set(self.cost_impact_monthly.is_some() || drift.is_cost_known),
            region: Set(self.region.clone().unwrap_or_else(|| drift.region.clone())),
            ..Default::default()
        }
    }
}

/// Changes the severity, the cost or the region of a live drift.
#[utoipa::path(patch, path = "/api/v1/drifts/{id}", tag = "drifts", params(("id" = Uuid, Path)),
    request_body = DriftChange, responses((status = 200, body = Success<DriftView>)),
    security(("bearer" = ["engineer"])))]
pub async fn update_drift(
    state: Data<State>,
    Engineer(caller): Engineer,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
    body: Result<ValidJson<DriftChange>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    find(&state, id).await?;
    let ValidJson(change) = body?;
    if let DriftChange { severity: None, cost_impact_monthly: None, region: None } = change {
        return Err(ApiError::validation("body", "must have severity, costImpactMonthly or region"));
    }
    let audience = caller.role.into();
    let request = serde_json::to_vec(&change).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        let drift = change_locked(write, &state, id, &change, conditions.if_match).await?;
        let version = drift.version;
        Ok(Reply::ok(DriftView::new(drift, audience)).with_version(version))
    })
    .await
}

async fn change_locked(
    write: &mut Write,
    state: &State,
    id: Uuid,
    change: &DriftChange,
    if_match: Option<i32>,
) -> Result<Model, DriftError> {
    let before = lock(write, id, if_match).await?;
    if before.status == Status::Resolved {
        return Err(DriftError::Final);
    }
    let changed_fields = change.changed_fields(&before);
    if changed_fields.is_empty() {
        return Ok(before);
    }
    let row = ActiveModel { updated_at: Set(write.at), ..change.to_row(&before) };
    entity::update_if(&write.tx, id, before.status, None, row).await?;
    let drift = entity::by_id(&write.tx, id).await?.ok_or(DriftError::NotFound("drift"))?;
    let record = Record { changed_fields, ..Record::new(Subject::Drift(id), AuditAction::DriftUpdate) };
    audit::record(&write.tx, &write.actor, write.at, vec![record]).await?;
    write.tx.emit(updated(&drift));
    if drift.severity > before.severity && ingest::raises_alert(&state.rules, drift.severity, false) {
        escalate(write, &drift).await?;
    }
    Ok(drift)
}

async fn escalate(write: &mut Write, drift: &Model) -> Result<(), DriftError> {
    let escalated = alert::about(drift, AlertType::SeverityEscalated, write.at);
    Ok(alert::raise_once(&mut write.tx, &write.actor, vec![escalated]).await?)
}

/// Deletes a drift and its alerts. Their audit rows are kept.
#[utoipa::path(delete, path = "/api/v1/drifts/{id}", tag = "drifts", params(("id" = Uuid, Path)),
    responses((status = 200, body = Done)),
    security(("bearer" = ["admin"])))]
pub async fn delete_drift(
    state: Data<State>,
    Admin(caller): Admin,
    _: NoQuery,
    ValidPath(id): ValidPath<Uuid>,
    conditions: Conditions,
) -> Result<HttpResponse, ApiError> {
    write::once(&state, caller, &conditions, b"", async |write| {
        delete_locked(write, id, conditions.if_match).await?;
        Ok(Reply::ok(()))
    })
    .await
}

async fn delete_locked(write: &mut Write, id: Uuid, if_match: Option<i32>) -> Result<(), DriftError> {
    let drift = lock(write, id, if_match).await?;
    let alerts = alert::entity::of_drift(&write.tx, id).await?;
    entity::delete(&write.tx, id).await?;
    let mut records: Vec<Record> = alerts.iter().map(alert::deletion).collect();
    records.push(Record {
        from: Some(drift.status.into_str()),
        ..Record::new(Subject::Drift(id), AuditAction::DriftDelete)
    });
    audit::record(&write.tx, &write.actor, write.at, records).await?;
    if drift.status != Status::Resolved {
        write.tx.emit(DriftResolved {
            id,
            status: Status::Resolved,
            resolved_at: write.at,
            resolved_how: ResolvedHow::Deleted,
            account_id: drift.account_id,
        });
    }
    Ok(())
}

async fn lock(write: &Write, id: Uuid, if_match: Option<i32>) -> Result<Model, DriftError> {
    let drift = entity::lock(&write.tx, id).await?.ok_or(DriftError::NotFound("drift"))?;
    match if_match {
        Some(version) if version != drift.version => Err(DriftError::Changed { current: drift.version }),
        _ => Ok(drift),
    }
}

async fn find(state: &State, id: Uuid) -> Result<Model, DriftError> {
    entity::by_id(&state.database, id).await?.ok_or(DriftError::NotFound("drift"))
}
