use chrono::{DateTime, Utc};
use contracts::drift::Status;
use serde::Serialize;
use uuid::Uuid;

use super::action::AuditAction;
use super::entity;
use crate::actor::Actor;

/// The subject of an audit row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Subject {
    Drift(Uuid),
    Alert(Uuid),
    Stack(Uuid),
    /// The rules of the console, which are one object with many versions.
    Rules {
        version: i32,
    },
}

/// The id of the rules of the console.
pub const RULES_ID: Uuid = Uuid::from_u128(0x7275_6c65_7300_4000_8000_0000_0000_0001);

/// One action. It never contains a state.
#[derive(Clone, Debug)]
pub struct Record {
    pub subject: Subject,
    pub action: AuditAction,
    pub from: Option<&'static str>,
    pub to: Option<&'static str>,
    pub reason: Option<String>,
    pub changed_fields: Vec<&'static str>,
}

impl Record {
    pub fn new(subject: Subject, action: AuditAction) -> Self {
        Self { subject, action, from: None, to: None, reason: None, changed_fields: Vec::new() }
    }

    pub fn of_drift(id: Uuid, action: AuditAction) -> Self {
        Self::new(Subject::Drift(id), action)
    }

    /// The record of a drift that is resolved.
    pub fn resolved(id: Uuid, action: AuditAction, from: Status) -> Self {
        Self {
            from: Some(from.into_str()),
            to: Some(Status::Resolved.into_str()),
            changed_fields: vec!["status"],
            ..Self::of_drift(id, action)
        }
    }

    fn into_row(self, actor: &Actor, at: DateTime<Utc>) -> entity::Model {
        let (entity, entity_id) = match self.subject {
            Subject::Drift(id) => ("drift", id),
            Subject::Alert(id) => ("alert", id),
            Subject::Stack(id) => ("stack", id),
            Subject::Rules { .. } => ("rules", RULES_ID),
        };
        let (from, to) = match self.subject {
            Subject::Rules { version } => (Some(format!("v{}", version - 1)), Some(format!("v{version}"))),
            _ => (self.from.map(Into::into), self.to.map(Into::into)),
        };
        entity::Model {
            id: Uuid::now_v7(),
            at,
            actor: actor.user_id.clone(),
            action: self.action.into_str().into(),
            entity: entity.into(),
            entity_id,
            from_status: from,
            to_status: to,
            reason: self.reason,
            request_id: actor.request_id.clone(),
            own_request_id: actor.own_request_id.clone(),
            changed_fields: serde_json::json!(self.changed_fields).to_string(),
        }
    }
}

/// Writes the records of one actor at one time.
pub async fn record(
    db: &impl sea_orm::ConnectionTrait,
    actor: &Actor,
    at: DateTime<Utc>,
    records: Vec<Record>,
) -> Result<(), sea_orm::DbErr> {
    entity::insert(db, records.into_iter().map(|record| record.into_row(actor, at)).collect()).await
}
