//! Events of all types, for tests.

use chrono::DateTime;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::event::Event;

pub(super) const URL: &str = "https://drift.example.com/";
pub(super) const ID: &str = "01939c2e-0000-7000-8000-000000000001";
pub(super) const USER: &str = "01939c2e-0000-7000-8000-000000000002";

/// A text that every format has to escape.
pub(super) const EVIL: &str = "<!channel> & *x* [a](http://evil) \"<script>alert(1)</script>\"\n'@here'";

pub(super) fn event(event_type: &str, payload: Value) -> Event {
    Event {
        id: Uuid::from_u128(7),
        event_type: event_type.to_owned(),
        at: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        account_id: Some("acc_1".into()),
        user_id: None,
        payload,
    }
}

/// An event about a drift, with more keys.
pub(super) fn drift(event_type: &str, more: Value) -> Event {
    let mut payload = json!({
        "id": ID, "stack": "prod-eu", "address": "aws_instance.web[0]", "resourceId": "i-1",
        "resourceType": "aws_instance", "severity": "critical", "fingerprint": "f1", "status": "detected",
    });
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event(event_type, payload)
}

/// One event of each type, with the texts of people replaced by `text`.
pub(super) fn all_with(text: &str) -> Vec<Event> {
    let named = json!({"stack": text, "address": text, "region": text, "fingerprint": text});
    let user = json!({"userId": USER, "email": text, "role": "admin", "isActive": true, "count": 3});
    let alert = json!({"id": ID, "driftId": ID, "stack": text, "title": text, "message": text, "severity": "warning"});
    let scan =
        json!({"id": ID, "stack": text, "completeness": "complete", "created": 41, "createdCritical": 3});
    let stack = json!({"id": ID, "stack": text, "status": "silent", "dueAt": "2026-01-01T00:00:00Z"});
    let notification = json!({"id": ID, "name": text, "failure": "timeout", "since": "2026-01-01T00:00:00Z"});
    let drifts = [
        "created",
        "updated",
        "approved",
        "rejected",
        "resolved",
        "deciding",
        "commented",
        "uncommented",
        "rules_changed",
    ];
    let mut all: Vec<_> = drifts.iter().map(|name| drift(&format!("drift:{name}"), named.clone())).collect();
    for (family, names, payload) in [
        ("alert", &["created", "read", "all_read", "closed"][..], alert),
        ("stack", &["updated", "silent", "deleted"], stack),
        ("scan", &["stored"], scan),
        (
            "notification",
            &["destination_failing", "destination_recovered", "events_missed", "test"],
            notification,
        ),
        ("auth", &["user.registered", "user.updated", "session.deleted", "sessions.bulk_terminated"], user),
    ] {
        all.extend(names.iter().map(|name| event(&format!("{family}:{name}"), payload.clone())));
    }
    all.push(event(text, json!(null)));
    all
}
