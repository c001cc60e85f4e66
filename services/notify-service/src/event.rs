//! Events as notifications see them.

use backplane::Message;
use chrono::{DateTime, Utc};
use contracts::AccountId;
use contracts::drift::Severity;
use serde_json::Value;
use uuid::Uuid;

const MAX_SUBJECT: usize = 300;
const MAX_STATE: usize = 64;

/// The type of the message that a destination receives if the log no longer has all events.
pub const EVENTS_MISSED: &str = "notification:events_missed";

/// An event of the log.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: Uuid,
    /// The channel, such as `drift:created`.
    pub event_type: String,
    pub at: DateTime<Utc>,
    pub account_id: Option<AccountId>,
    pub user_id: Option<String>,
    /// As `libs/contracts` defines it for the type.
    pub payload: Value,
}

impl Event {
    /// Returns `None` if the payload is no JSON.
    pub fn read(message: &Message) -> Option<Self> {
        let envelope = &message.envelope;
        Some(Self {
            id: envelope.event_id,
            event_type: message.channel.clone(),
            at: envelope.timestamp,
            account_id: envelope.account_id.clone(),
            user_id: envelope.user_id.clone(),
            payload: serde_json::from_str(envelope.payload.get()).ok()?,
        })
    }

    /// Names what the event is about. Deliveries about the same subject keep their order.
    pub fn subject(&self) -> String {
        let by_id = |kind: &str| self.text("id").map(|id| format!("{kind}:{id}"));
        let subject = match self.event_type.split_once(':') {
            Some(("alert", "all_read")) => by_id("user"),
            Some((kind @ ("drift" | "alert" | "scan"), _)) => by_id(kind),
            Some(("stack", _)) => self.text("stack").map(|stack| format!("stack:{stack}")),
            Some(("auth", _)) => {
                let user = self.text("userId").or(self.user_id.as_deref());
                user.map(|user| format!("user:{user}"))
            }
            Some(("notification", "destination_failing" | "destination_recovered")) => by_id("destination"),
            _ => None,
        };
        let subject = subject.unwrap_or_else(|| self.event_type.clone());
        subject.chars().take(MAX_SUBJECT).collect()
    }

    /// Two events in a row about a subject with the same state say nothing new. `None` if the event always says
    /// something.
    pub fn state(&self) -> Option<String> {
        let status = self.text("status")?;
        let state = format!("{status} {}", self.text("severity").unwrap_or_default());
        Some(state.chars().take(MAX_STATE).collect())
    }

    /// A text of the payload.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.payload.get(field).and_then(Value::as_str)
    }
}

/// The properties that rules compare.
pub struct Traits<'a> {
    pub severity: Option<Severity>,
    pub stack: Option<&'a str>,
}

impl<'a> Traits<'a> {
    pub fn of(event: &'a Event) -> Self {
        let severity = event.payload.get("severity").cloned();
        Self {
            severity: severity.and_then(|severity| serde_json::from_value(severity).ok()),
            stack: event.text("stack"),
        }
    }
}

#[cfg(test)]
pub(crate) fn event_of(event_type: &str, payload: Value) -> Event {
    Event {
        id: Uuid::now_v7(),
        event_type: event_type.into(),
        at: DateTime::UNIX_EPOCH,
        account_id: None,
        user_id: None,
        payload,
    }
}
