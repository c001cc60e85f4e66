//! The facts about an event that people read.

use contracts::drift::{ResolvedHow, Severity};
use contracts::scan::Completeness;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::payload::Payload;
use super::text::line;
use super::title::title;
use crate::event::Event;

const MAX_TITLE: usize = 200;
const MAX_VALUE: usize = 300;
const MAX_NAME: usize = 255;
const MAX_FIELDS: usize = 10;
const MAX_LINK: usize = 1000;

/// The fields of a message, by the keys of payloads. A state, a reason or a comment has no key here.
const FIELDS: [(&str, &str); 17] = [
    ("Resource", "address"),
    ("Type", "resourceType"),
    ("Stack", "stack"),
    ("Region", "region"),
    ("Severity", "severity"),
    ("Status", "status"),
    ("Cost per month", "costImpactMonthly"),
    ("Resolved", "resolvedHow"),
    ("Message", "message"),
    ("Scan", "completeness"),
    ("Due", "dueAt"),
    ("Email", "email"),
    ("Role", "role"),
    ("Active", "isActive"),
    ("Destination", "name"),
    ("Failure", "failure"),
    ("Since", "since"),
];

/// The facts about an event. All texts have bounded lengths and no line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// At most 200 characters, such as `Critical drift in prod-eu: aws_instance.web[0]`.
    pub title: String,
    pub severity: Option<Severity>,
    /// The status of the drift or the stack.
    pub status: Option<String>,
    pub stack: Option<String>,
    /// Labels and values.
    pub fields: Vec<(&'static str, String)>,
    /// The address of the page of the console.
    pub link: Option<String>,
    /// The [subject](Event::subject) on one line.
    pub subject_key: String,
    pub fingerprint: Option<String>,
    /// Whether the subject needs no attention any more. A rejected drift still needs attention, because it must be
    /// reverted.
    pub is_over: bool,
}

impl Facts {
    pub fn of(event: &Event, public_url: Option<&str>) -> Self {
        let payload = Payload(&event.payload);
        let title = line(&title(&event.event_type, payload), MAX_TITLE);
        Self {
            title: if title.is_empty() { "Event".to_owned() } else { title },
            severity: severity(&event.event_type, payload),
            status: payload.text("status").map(|status| line(status, MAX_NAME)),
            stack: payload.text("stack").map(|stack| line(stack, MAX_NAME)),
            fields: FIELDS
                .iter()
                .filter_map(|(label, key)| Some((*label, field(payload, key)?)))
                .take(MAX_FIELDS)
                .collect(),
            link: public_url.and_then(|url| link(&event.event_type, payload, url)),
            subject_key: line(&event.subject(), MAX_NAME),
            fingerprint: payload.text("fingerprint").map(|fingerprint| line(fingerprint, MAX_NAME)),
            is_over: is_over(&event.event_type, payload),
        }
    }
}

fn field(payload: Payload<'_>, key: &str) -> Option<String> {
    let text = match (&payload.0[key], key) {
        (Value::String(_), "resolvedHow") => how(payload.word(key)?).to_owned(),
        (Value::String(text), _) => text.clone(),
        (Value::Bool(is), _) => if *is { "yes" } else { "no" }.to_owned(),
        (Value::Number(number), "costImpactMonthly") => {
            format!("{:.2}", number.as_f64().filter(|cost| *cost != 0.0)?)
        }
        _ => return None,
    };
    let value = line(&text, MAX_VALUE);
    (!value.is_empty()).then_some(value)
}

const fn how(how: ResolvedHow) -> &'static str {
    match how {
        ResolvedHow::Manual => "by a person",
        ResolvedHow::Auto => "by a scan",
        ResolvedHow::Superseded => "a scan found another state",
        ResolvedHow::Ignored => "the rules ignore it",
        ResolvedHow::Deleted => "deleted by an admin",
    }
}

/// Returns the severity that the payload has, or the one of its type.
fn severity(event_type: &str, payload: Payload<'_>) -> Option<Severity> {
    match event_type {
        "scan:stored" if payload.number("createdCritical") > 0 => Some(Severity::Critical),
        "scan:stored" if is_over(event_type, payload) => Some(Severity::Info),
        "scan:stored"
        | "stack:silent"
        | "notification:destination_failing"
        | "notification:events_missed" => Some(Severity::Warning),
        _ => payload.word("severity"),
    }
}

fn is_over(event_type: &str, payload: Payload<'_>) -> bool {
    match event_type {
        "drift:created" | "drift:updated" => matches!(payload.text("status"), Some("approved" | "resolved")),
        // A stack that is not silent has no open event of its own: each of its drifts has one.
        "stack:updated" => payload.text("status").is_some_and(|status| status != "silent"),
        "scan:stored" => {
            payload.number("created") + payload.number("changed") == 0
                && payload.word("completeness") != Some(Completeness::Failed)
        }
        "drift:approved"
        | "drift:resolved"
        | "alert:closed"
        | "stack:deleted"
        | "notification:destination_recovered" => true,
        _ => false,
    }
}

/// Returns the address of the page of the console that shows the subject.
fn link(event_type: &str, payload: Payload<'_>, public_url: &str) -> Option<String> {
    let stack = || {
        let name = utf8_percent_encode(payload.text("stack")?, NON_ALPHANUMERIC);
        Some(format!("stacks/{name}"))
    };
    let page = match event_type.split_once(':')? {
        ("drift", "rules_changed") => "admin/rules".to_owned(),
        ("drift", _) => format!("drifts/{}", payload.id("id")?),
        ("alert", _) => {
            let drift = payload.id("driftId").map(|id| format!("drifts/{id}"));
            drift.or_else(stack).unwrap_or_else(|| "alerts".to_owned())
        }
        ("stack", "deleted") => "stacks".to_owned(),
        ("stack" | "scan", _) => stack()?,
        ("auth", _) => format!("admin/users/{}", payload.id("userId")?),
        _ => return None,
    };
    let link = format!("{}/#/{page}", public_url.trim_end_matches('/'));
    (link.len() <= MAX_LINK).then_some(link)
}
