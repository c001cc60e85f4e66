use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use contracts::Timestamp;
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::alert::AlertType;
use http::openapi::{Done, Success};
use http::{Admin, ApiError, Engineer, NoQuery, ValidJson, ValidPath};
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use super::super::DriftView;
use super::super::entity::{self, ActiveModel, Model};
use super::super::events::{resolved, updated};
use super::super::until::snooze_end;
use super::super::watcher;
use crate::alert;
use crate::audit::{self, AuditAction, Record, Subject};
use crate::error::DriftError;
use crate::money::Money;
use crate::text::storable;
use crate::write::{self, Conditions, Reply, Write, present};
use crate::{State, ingest};

/// A correction of what a scan found, and who takes care of it. At least one field is required. Absent fields stay.
#[derive(Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftChange {
    severity: Option<Severity>,
    #[schema(value_type = Option<f64>)]
    cost_impact_monthly: Option<Money>,
    #[validate(length(min = 1, max = 64), custom(function = "storable"))]
    #[schema(min_length = 1, max_length = 64)]
    region: Option<String>,
    /// The id of the person who takes care of the drift; `null` removes it
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    assignee_id: Option<Option<Uuid>>,
    /// An `https://` page without credentials; `null` removes it
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = 500), custom(function = "is_ticket_url"))]
    #[schema(value_type = Option<String>, max_length = 500)]
    ticket_url: Option<Option<String>>,
    /// At most 90 days ahead; only for open drifts. `null` ends the snooze
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    snoozed_until: Option<Option<Timestamp>>,
}

/// A link with another scheme could run code in the console, and one with credentials would show them.
fn is_ticket_url(url: &str) -> Result<(), ValidationError> {
    let authority = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#', '\\']).next());
    let is_plain = authority.is_some_and(|authority| !authority.is_empty() && !authority.contains('@'));
    if is_plain && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let message = "must be a URL that begins with https:// and has no credentials";
    Err(ValidationError::new("url").with_message(message.into()))
}

impl DriftChange {
    /// The names of the fields that would change.
    fn changed_fields(&self, drift: &Model) -> Vec<&'static str> {
        let cost = drift.is_cost_known.then_some(Money { cents: drift.cost_cents });
        [
            ("severity", self.severity.is_some_and(|severity| severity != drift.severity)),
            ("costImpactMonthly", self.cost_impact_monthly.is_some_and(|amount| Some(amount) != cost)),
            ("region", self.region.as_ref().is_some_and(|region| *region != drift.region)),
            (
                "assigneeId",
                self.assignee_id.is_some_and(|id| id.map(|id| id.to_string()) != drift.assignee_id),
            ),
            ("ticketUrl", self.ticket_url.as_ref().is_some_and(|url| *url != drift.ticket_url)),
            ("snoozedUntil", self.snoozed_until.is_some_and(|at| at.map(|at| at.0) != drift.snoozed_until)),
        ]
        .into_iter()
        .filter_map(|(name, is_changed)| is_changed.then_some(name))
        .collect()
    }

    fn is_empty(&self) -> bool {
        let corrections =
            self.severity.is_none() && self.cost_impact_monthly.is_none() && self.region.is_none();
        let care = self.assignee_id.is_none() && self.ticket_url.is_none() && self.snoozed_until.is_none();
        corrections && care
    }

    /// Returns the time until which the drift is snoozed after this change.
    fn snooze(&self, drift: &Model, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, DriftError> {
        match self.snoozed_until {
            None => Ok(drift.snoozed_until),
            Some(None) => Ok(None),
            Some(Some(_)) if drift.status != Status::Detected => {
                Err(DriftError::NotOpen { status: drift.status })
            }
            Some(Some(until)) => snooze_end(until, now).map(Some),
        }
    }

    /// Keeps the fingerprint, by which later scans recognise the drift.
    fn to_row(&self, drift: &Model, snoozed_until: Option<DateTime<Utc>>) -> ActiveModel {
        let severity = self.severity.unwrap_or(drift.severity);
        let cost = self.cost_impact_monthly.map_or(drift.cost_cents, |cost| cost.cents);
        ActiveModel {
            is_severity_manual: Set(self.severity.is_some() || drift.is_severity_manual),
            severity: Set(severity),
            severity_rank: Set(severity.rank()),
            cost_cents: Set(cost),
            is_cost_known: Set(self.cost_impact_monthly.is_some() || drift.is_cost_known),
            region: Set(self.region.clone().unwrap_or_else(|| drift.region.clone())),
            assignee_id: Set(self
                .assignee_id
                .map_or_else(|| drift.assignee_id.clone(), |id| id.map(Into::into))),
            ticket_url: Set(self.ticket_url.clone().unwrap_or_else(|| drift.ticket_url.clone())),
            snoozed_until: Set(snoozed_until),
            ..Default::default()
        }
    }
}

/// Changes the severity, the cost, the region, the assignee, the ticket or the snooze of a live drift. The assignee
/// becomes a watcher.
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
    if change.is_empty() {
        let message = "must have severity, costImpactMonthly, region, assigneeId, ticketUrl or snoozedUntil";
        return Err(ApiError::validation("body", message));
    }
    let audience = caller.role.into();
    let request = serde_json::to_vec(&change).unwrap_or_default();
    write::once(&state, caller, &conditions, &request, async |write| {
        if let Some(Some(url)) = &change.ticket_url
            && state.redacted(url) != *url
        {
            return Err(ApiError::validation("ticketUrl", "must not contain a secret").into());
        }
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
    let snoozed_until = change.snooze(&before, write.at)?;
    let changed_fields = change.changed_fields(&before);
    if changed_fields.is_empty() {
        return Ok(before);
    }
    let row = ActiveModel { updated_at: Set(write.at), ..change.to_row(&before, snoozed_until) };
    entity::update_if(&write.tx, id, before.status, None, row).await?;
    let drift = entity::by_id(&write.tx, id).await?.ok_or(DriftError::NotFound("drift"))?;
    let record = Record { changed_fields, ..Record::new(Subject::Drift(id), AuditAction::DriftUpdate) };
    audit::record(&write.tx, &write.actor, write.at, vec![record]).await?;
    if let Some(Some(assignee)) = change.assignee_id {
        watcher::add_person(&write.tx, &[id], &assignee.to_string(), write.at).await?;
    }
    write.tx.emit(updated(&drift));
    if drift.severity > before.severity {
        let in_force = state.rules.read(&write.tx).await?;
        if ingest::raises_alert(&in_force.rules, drift.severity, false) {
            escalate(write, &drift).await?;
        }
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
        write.tx.emit(resolved(&drift, ResolvedHow::Deleted, write.at));
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
