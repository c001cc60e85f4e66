use rstest::rstest;
use serde_json::{Value, json};

use super::examples::{ID, URL, drift, event};
use super::{Facts, pagerduty};

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[rstest]
#[case("drift:created", json!({}), Some("trigger"))]
#[case::approved_before("drift:created", json!({"status": "approved"}), Some("resolve"))]
#[case("drift:updated", json!({}), Some("trigger"))]
#[case("drift:updated", json!({"status": "rejected"}), None)]
#[case("drift:updated", json!({"status": "resolved"}), Some("resolve"))]
#[case("drift:approved", json!({"status": "approved"}), Some("resolve"))]
#[case("drift:resolved", json!({"status": "resolved"}), Some("resolve"))]
#[case("drift:rejected", json!({"status": "rejected"}), None)]
#[case("drift:commented", json!({}), None)]
#[case("drift:rules_changed", json!({}), None)]
#[case("alert:created", json!({}), Some("trigger"))]
#[case("alert:closed", json!({}), Some("resolve"))]
#[case("alert:read", json!({}), None)]
#[case("stack:silent", json!({"status": null}), Some("trigger"))]
#[case("stack:updated", json!({"status": "clean"}), Some("resolve"))]
#[case("stack:updated", json!({"status": "silent"}), None)]
#[case("stack:deleted", json!({}), Some("resolve"))]
#[case("scan:stored", json!({"created": 3}), None)]
#[case("auth:user.login", json!({}), None)]
#[case("notification:destination_failing", json!({"status": null}), Some("trigger"))]
#[case("notification:destination_recovered", json!({}), Some("resolve"))]
#[case("notification:events_missed", json!({}), Some("trigger"))]
fn an_event_triggers_or_resolves(
    #[case] event_type: &str,
    #[case] more: Value,
    #[case] action: Option<&str>,
) {
    let event = drift(event_type, more);
    let message = pagerduty::event(&Facts::of(&event, None), &event, KEY);
    assert_eq!(message.as_ref().and_then(|message| message["event_action"].as_str()), action);
}

#[test]
fn a_drift_triggers_with_its_facts_and_resolves_by_its_fingerprint() {
    let created = drift("drift:created", json!({}));
    let facts = Facts::of(&created, Some(URL));
    let expected = json!({
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "f1",
        "client": "DriftSentry",
        "payload": {
            "summary": "Critical drift in prod-eu: aws_instance.web[0]",
            "source": "prod-eu",
            "severity": "critical",
            "timestamp": "2023-11-14T22:13:20Z",
            "component": "aws_instance.web[0]",
            "group": "acc_1",
            "class": "drift:created",
            "custom_details": {
                "Resource": "aws_instance.web[0]",
                "Type": "aws_instance",
                "Stack": "prod-eu",
                "Severity": "critical",
                "Status": "detected",
            },
        },
        "links": [{"href": format!("https://drift.example.com/#/drifts/{ID}"), "text": "Open in DriftSentry"}],
    });
    assert_eq!(pagerduty::event(&facts, &created, KEY), Some(expected));

    let resolved = drift("drift:resolved", json!({"id": "another", "status": "resolved"}));
    let expected = json!({"routing_key": KEY, "event_action": "resolve", "dedup_key": "f1"});
    assert_eq!(pagerduty::event(&Facts::of(&resolved, Some(URL)), &resolved, KEY), Some(expected));
}

#[test]
fn the_key_without_a_fingerprint_is_the_subject() {
    let pairs = [("stack:silent", "stack:updated"), ("alert:created", "alert:closed")];
    for (first, second) in pairs {
        let keys = [first, second].map(|event_type| {
            let event = event(event_type, json!({"id": ID, "stack": "prod", "status": "clean"}));
            pagerduty::event(&Facts::of(&event, None), &event, KEY).unwrap()["dedup_key"].clone()
        });
        assert_eq!(keys[0], keys[1]);
    }
}
