use std::collections::HashSet;

use anyhow::{Context, Result};
use legacy::{ImportReport, SourceTime};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::Import;
use crate::audit::entity::{self, Model};

const QUERY: &str = "SELECT * FROM audit_logs AS l ORDER BY l.created_at, l.id";
/// Before the action of an imported row, so that nobody takes it for an action of this service.
const PREFIX: &str = "legacy.";
const MAX_CHARS: usize = 2_000;

#[derive(Deserialize)]
struct LegacyAction {
    id: Uuid,
    drift_id: Option<Uuid>,
    action: Option<String>,
    actor_id: Option<String>,
    actor_email: Option<String>,
    old_value: Option<Value>,
    new_value: Option<Value>,
    details: Option<Value>,
    created_at: Option<SourceTime>,
}

impl Import<'_> {
    pub(super) async fn import_audit(&self) -> Result<ImportReport> {
        let mut report = ImportReport::of("audit rows");
        let mut pages = self.source.read(QUERY).await.context("the audit log cannot be read")?;
        loop {
            let page: Vec<LegacyAction> = pages.next().await.context("the audit log cannot be read")?;
            if page.is_empty() {
                return Ok(report);
            }
            let ids = page.iter().map(|row| row.id).collect::<Vec<_>>();
            let present: HashSet<Uuid> = entity::existing(self.tx, &ids).await?;
            report.present += present.len() as u64;
            let new = page.into_iter().filter(|row| !present.contains(&row.id));
            let rows = new.map(|row| self.action(row)).collect::<Vec<_>>();
            report.imported += rows.len() as u64;
            entity::insert(self.tx, rows).await?;
        }
    }

    fn action(&self, row: LegacyAction) -> Model {
        let (entity, entity_id) = match row.drift_id {
            Some(drift) => ("drift", drift),
            None => ("other", row.id),
        };
        let action = row.action.unwrap_or_default().to_lowercase();
        Model {
            id: row.id,
            at: row.created_at.map_or(self.now, |SourceTime(at)| at),
            actor: row.actor_id.or(row.actor_email).unwrap_or_else(|| super::ACTOR.into()),
            action: format!("{PREFIX}{action}").chars().take(200).collect(),
            entity: entity.into(),
            entity_id,
            from_status: self.shown(row.old_value),
            to_status: self.shown(row.new_value),
            reason: self.shown(row.details),
            request_id: String::new(),
            own_request_id: String::new(),
            changed_fields: "[]".into(),
        }
    }

    /// Returns a value as a redacted text: it may hold states with secrets.
    fn shown(&self, value: Option<Value>) -> Option<String> {
        let text = match value? {
            Value::Null => return None,
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.text(Some(text), MAX_CHARS)
    }
}
