//! Events for the Events API v2 of PagerDuty.
//!
//! An incident belongs to a drift by its fingerprint, so that a drift that returns reopens its incident. An approval or
//! a resolution resolves the incident. A rejected drift keeps its incident until a scan shows that it was reverted.

use contracts::drift::Severity;
use serde_json::{Map, Value, json};

use super::facts::Facts;
use super::payload::Payload;
use super::text::line;
use crate::event::Event;

const MAX_SUMMARY: usize = 1024;
const MAX_KEY: usize = 255;

/// Returns the event for PagerDuty, or `None` if the event neither needs attention nor ends the need for it.
pub fn event(facts: &Facts, event: &Event, routing_key: &str) -> Option<Value> {
    let action = action(facts, &event.event_type)?;
    let dedup_key = facts.fingerprint.as_ref().unwrap_or(&facts.subject_key);
    let mut body = json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": line(dedup_key, MAX_KEY),
    });
    if action == "trigger" {
        body["client"] = json!("DriftSentry");
        body["payload"] = payload(facts, event);
        if let Some(link) = &facts.link {
            body["links"] = json!([{"href": link, "text": "Open in DriftSentry"}]);
        }
    }
    Some(body)
}

fn action(facts: &Facts, event_type: &str) -> Option<&'static str> {
    match event_type {
        "drift:created"
        | "drift:updated"
        | "drift:approved"
        | "drift:resolved"
        | "alert:created"
        | "alert:closed"
        | "stack:silent"
        | "stack:deleted"
        | "notification:destination_failing"
        | "notification:destination_recovered"
        | "notification:events_missed"
        | "notification:test" => {}
        // The incident of a stack is its silence. Other changes of a stack end it or do not concern it.
        "stack:updated" if facts.is_over => {}
        _ => return None,
    }
    if facts.is_over {
        return Some("resolve");
    }
    // A change of a rejected drift does not page: its incident is open until the drift is reverted.
    (facts.status.as_deref() != Some("rejected")).then_some("trigger")
}

fn payload(facts: &Facts, event: &Event) -> Value {
    let severity = facts.severity.unwrap_or(Severity::Info);
    let details = facts.fields.iter().map(|(label, value)| ((*label).to_owned(), json!(value)));
    let mut payload = json!({
        "summary": line(&facts.title, MAX_SUMMARY),
        "source": facts.stack.as_deref().unwrap_or("DriftSentry"),
        "severity": severity,
        "timestamp": event.at,
        "class": event.event_type,
        "custom_details": details.collect::<Map<_, _>>(),
    });
    if let Some(address) = Payload(&event.payload).text("address") {
        payload["component"] = json!(line(address, MAX_KEY));
    }
    if let Some(account) = &event.account_id {
        payload["group"] = json!(account);
    }
    payload
}
