use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::drift::{ResolvedHow, Severity, Status};
use identity::service_token_id;
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::difference::{Difference, difference};
use crate::alert;
use crate::alert::AlertView;
use crate::audience::Audience;
use crate::audit;
use crate::drift::entity::Model;
use crate::drift::{Action, DriftView};
use crate::money::Money;

/// The old contract's text for an unknown region.
const UNKNOWN: &str = "unknown";

/// A drift in a list. Every key is always present; a value that the caller may not see is `null`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OldDrift {
    id: Uuid,
    resource_id: String,
    resource_type: String,
    region: String,
    severity: Severity,
    status: Status,
    #[schema(value_type = f64)]
    cost_impact_monthly: Money,
    detected_at: DateTime<Utc>,
    /// `scheduler` if a service token reported the drift, `manual` if a person did. `null` if neither is known.
    detected_by: Option<&'static str>,
    approved_at: Option<DateTime<Utc>>,
    approved_by: Option<String>,
    approval_reason: Option<String>,
    rejected_at: Option<DateTime<Utc>>,
    rejected_by: Option<String>,
    rejection_reason: Option<String>,
    resolved_at: Option<DateTime<Utc>>,
    resolved_how: Option<ResolvedHow>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    alert_count: i64,
    /// Whether the status allows it. The role of the caller decides whether it is permitted.
    can_approve: bool,
    can_reject: bool,
}

/// A single drift.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OldDriftWithStates {
    #[serde(flatten)]
    drift: OldDrift,
    /// Redacted; `null` for callers that are neither engineer nor admin.
    #[schema(value_type = Option<Value>)]
    expected_state: Option<Box<RawValue>>,
    #[schema(value_type = Option<Value>)]
    actual_state: Option<Box<RawValue>>,
    /// The changed paths up to the first list in them, each with the values on both sides.
    difference: Difference,
}

/// An alert. The read state is the caller's own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OldAlert {
    #[serde(flatten)]
    alert: AlertView,
    updated_at: DateTime<Utc>,
}

/// Rows of other tables that belong to drifts.
struct Related {
    alerts: HashMap<Uuid, i64>,
    creators: HashMap<Uuid, String>,
}

impl Related {
    async fn of(db: &impl ConnectionTrait, drifts: &[Model]) -> Result<Self, DbErr> {
        let ids = drifts.iter().map(|drift| drift.id).collect::<Vec<_>>();
        let (alerts, creators) =
            (alert::entity::counts_of(db, &ids).await?, audit::entity::creators(db, &ids).await?);
        Ok(Self { alerts, creators })
    }

    fn detected_by(&self, id: Uuid) -> Option<&'static str> {
        let creator = self.creators.get(&id)?;
        if service_token_id(creator).is_some() {
            return Some("scheduler");
        }
        creator.parse::<Uuid>().is_ok().then_some("manual")
    }

    fn drift(&self, view: DriftView) -> (OldDrift, Sides) {
        let can = |action| view.allowed.contains(&action);
        let (can_approve, can_reject) = (can(Action::Approve), can(Action::Reject));
        let detected_by = view.accountability.as_ref().and_then(|_| self.detected_by(view.id));
        let (mut old, mut sides) = (None, Sides::default());
        if let Some(known) = view.accountability {
            sides.paths = Some(known.difference);
            old = Some((known.approved_by, known.approved_reason, known.rejected_by, known.rejected_reason));
        }
        if let Some(states) = view.states {
            (sides.expected, sides.actual) = (states.expected_state, states.actual_state);
        }
        let (approved_by, approval_reason, rejected_by, rejection_reason) = old.unwrap_or_default();
        let drift = OldDrift {
            id: view.id,
            resource_id: view.resource_id,
            resource_type: view.resource_type,
            region: view.region.unwrap_or_else(|| UNKNOWN.into()),
            severity: view.severity,
            status: view.status,
            cost_impact_monthly: view.cost_impact_monthly,
            detected_at: view.detected_at,
            detected_by,
            approved_at: view.approved_at,
            approved_by,
            approval_reason,
            rejected_at: view.rejected_at,
            rejected_by,
            rejection_reason,
            resolved_at: view.resolved_at,
            resolved_how: view.resolved_how,
            created_at: view.created_at,
            updated_at: view.updated_at,
            alert_count: self.alerts.get(&view.id).copied().unwrap_or_default(),
            can_approve,
            can_reject,
        };
        (drift, sides)
    }
}

/// The parts of a drift from which its difference is built.
#[derive(Default)]
struct Sides {
    paths: Option<Box<RawValue>>,
    expected: Option<Box<RawValue>>,
    actual: Option<Box<RawValue>>,
}

pub(super) async fn old_drifts(
    db: &impl ConnectionTrait,
    drifts: Vec<Model>,
    audience: Audience,
) -> Result<Vec<OldDrift>, DbErr> {
    let related = Related::of(db, &drifts).await?;
    let views = drifts.into_iter().map(|drift| DriftView::new(drift, audience));
    Ok(views.map(|view| related.drift(view).0).collect())
}

pub(super) async fn old_drift(
    db: &impl ConnectionTrait,
    drift: Model,
    audience: Audience,
) -> Result<OldDriftWithStates, DbErr> {
    let related = Related::of(db, std::slice::from_ref(&drift)).await?;
    let (drift, Sides { paths, expected, actual }) = related.drift(DriftView::new(drift, audience));
    let difference = difference(paths.as_deref(), expected.as_deref(), actual.as_deref());
    Ok(OldDriftWithStates { drift, expected_state: expected, actual_state: actual, difference })
}

pub(super) fn old_alert(alert: AlertView) -> OldAlert {
    let updated_at = alert.read_at.unwrap_or(alert.created_at);
    OldAlert { alert: AlertView { origin: None, ..alert }, updated_at }
}
