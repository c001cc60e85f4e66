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
        while let Some(page) =
            pages.next::<LegacyAction>(&mut report).await.context("the audit log cannot be read")?
        {
            let ids = page.iter().map(|row| row.id).collect::<Vec<_>>();
            let present: HashSet<Uuid> = entity::existing(self.tx, &ids).await?;
            report.present += present.len() as u64;
            let new = page.into_iter().filter(|row| !present.contains(&row.id));
            let rows = new.map(|row| self.action(row)).collect::<Vec<_>>();
            report.imported += rows.len() as u64;
            entity::insert(self.tx, rows).await?;
        }
        Ok(report)
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
            from_status: status(row.old_value),
            to_status: status(row.new_value),
            reason: self.text(row.details.and_then(reason), MAX_CHARS),
            request_id: String::new(),
            own_request_id: String::new(),
            changed_fields: "[]".into(),
        }
    }
}

/// Returns a status. Other values are left out: they may be states, which not everybody may see.
fn status(value: Option<Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text,
        Value::Object(mut fields) => match fields.remove("status")? {
            Value::String(text) => text,
            _ => return None,
        },
        _ => return None,
    };
    let is_word = text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word.then_some(text)
}

fn reason(details: Value) -> Option<String> {
    match details {
        Value::String(text) => Some(text),
        Value::Object(mut fields) => match fields.remove("reason")? {
            Value::String(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_status_and_a_reason_are_carried_over() {
        assert_eq!(status(Some(json!("approved"))).as_deref(), Some("approved"));
        assert_eq!(
            status(Some(json!({"status": "approved", "actual_state": {"a": 1}}))).as_deref(),
            Some("approved")
        );
        for state in [json!({"actual_state": {"a": 1}}), json!("a whole sentence"), json!(7), json!(null)] {
            assert_eq!(status(Some(state.clone())), None, "{state}");
        }
        assert_eq!(reason(json!({"reason": "as agreed", "ip": "x"})).as_deref(), Some("as agreed"));
        assert_eq!(reason(json!({"state": "x"})), None);
    }
}
