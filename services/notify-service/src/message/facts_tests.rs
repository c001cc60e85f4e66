use chrono::DateTime;
use contracts::drift::{ResolvedHow, Severity, Status};
use contracts::events::alert::{AlertCreated, AlertType};
use contracts::events::drift::{DriftResolved, DriftSubject};
use contracts::events::notification::DestinationFailing;
use contracts::events::scan::ScanStored;
use contracts::events::stack::{StackSilent, StackUpdated};
use contracts::scan::{Completeness, StackStatus};
use rstest::rstest;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::examples::{EVIL, ID, URL, USER, all_with, drift, event};
use super::{Facts, sample};

fn facts(event_type: &str, payload: Value) -> Facts {
    Facts::of(&event(event_type, payload), Some(URL))
}

#[rstest]
#[case("drift:created", json!({}), "Critical drift in prod-eu: aws_instance.web[0]")]
#[case("drift:created", json!({"severity": "info"}), "Info: drift in prod-eu: aws_instance.web[0]")]
#[case("drift:updated", json!({"severity": "warning"}), "Warning: drift changed in prod-eu: aws_instance.web[0]")]
#[case("drift:approved", json!({}), "Drift approved in prod-eu: aws_instance.web[0]")]
#[case("drift:approved", json!({"stack": null, "address": null}), "Drift approved")]
#[case("drift:rejected", json!({}), "Drift rejected in prod-eu: aws_instance.web[0]")]
#[case("drift:resolved", json!({"resolvedHow": "auto"}), "Drift resolved in prod-eu: aws_instance.web[0]")]
#[case("drift:resolved", json!({"resolvedHow": "deleted"}), "Drift deleted in prod-eu: aws_instance.web[0]")]
#[case("drift:deciding", json!({}), "A person is deciding on a drift")]
#[case("drift:commented", json!({}), "New comment on a drift")]
#[case("drift:uncommented", json!({}), "Comment on a drift deleted")]
#[case("drift:rules_changed", json!({"version": 7}), "Rules changed to version 7")]
#[case("alert:created", json!({"title": "Drift \"x\"\nescalated"}), "Drift \"x\" escalated")]
#[case("alert:created", json!({}), "Critical alert in prod-eu: aws_instance.web[0]")]
#[case("alert:read", json!({}), "Alert read")]
#[case("alert:all_read", json!({}), "All alerts read")]
#[case("alert:closed", json!({}), "Alert closed")]
#[case("stack:updated", json!({"status": "drifted"}), "Stack prod-eu is drifted")]
#[case("stack:silent", json!({}), "Stack prod-eu is silent: its scan is overdue")]
#[case("stack:deleted", json!({}), "Stack prod-eu deleted")]
#[case("scan:stored", json!({"created": 41, "createdCritical": 3}), "41 new in prod-eu: 3 critical")]
#[case("scan:stored", json!({"created": 1, "changed": 2, "resolved": 3}), "1 new, 2 changed, 3 resolved in prod-eu")]
#[case("scan:stored", json!({"created": 0, "unchanged": 9}), "Nothing new in prod-eu")]
#[case("scan:stored", json!({"completeness": "failed"}), "Scan of prod-eu refused")]
#[case("auth:user.registered", json!({}), "User signed up")]
#[case("auth:user.login", json!({}), "User logged in")]
#[case("auth:user.logout", json!({}), "User logged out")]
#[case("auth:user.updated", json!({}), "User updated")]
#[case("auth:user.deleted", json!({}), "User deleted")]
#[case("auth:user.invited", json!({}), "User invited")]
#[case("auth:email.verified", json!({}), "Email address verified")]
#[case("auth:password.reset_requested", json!({}), "Password reset requested")]
#[case("auth:session.created", json!({}), "Session created")]
#[case("auth:session.terminated", json!({}), "Session ended by its user")]
#[case("auth:session.deleted", json!({}), "Session ended")]
#[case("auth:session.activity_updated", json!({}), "Session activity updated")]
#[case("auth:sessions.bulk_terminated", json!({"count": 3}), "3 sessions ended at once")]
#[case("auth:token.refreshed", json!({}), "Token refreshed")]
#[case("notification:destination_failing", json!({"name": "Ops chat"}), "Destination Ops chat fails")]
#[case("notification:destination_recovered", json!({"name": "Ops chat"}), "Destination Ops chat works again")]
#[case("notification:events_missed", json!({"since": "2026-01-01T00:00:00Z"}), "Events may have been missed since 2026-01-01T00:00:00Z")]
#[case("notification:test", json!({}), "Test of a destination")]
#[case("billing:invoice.paid", json!({}), "Billing invoice paid")]
fn every_type_of_event_has_a_title(#[case] event_type: &str, #[case] more: Value, #[case] title: &str) {
    assert_eq!(Facts::of(&drift(event_type, more), None).title, title);
}

#[rstest]
#[case("drift:created", json!({"status": "detected"}), false)]
#[case("drift:updated", json!({"status": "approved"}), true)]
#[case("drift:approved", json!({}), true)]
#[case::still_to_be_reverted("drift:rejected", json!({"status": "rejected"}), false)]
#[case("drift:updated", json!({"status": "rejected"}), false)]
#[case("drift:resolved", json!({}), true)]
#[case("alert:created", json!({}), false)]
#[case::only_for_one_person("alert:read", json!({}), false)]
#[case("alert:closed", json!({}), true)]
#[case("stack:silent", json!({"stack": "s"}), false)]
#[case("stack:updated", json!({"status": "silent"}), false)]
#[case("stack:updated", json!({"status": "drifted"}), true)]
#[case("stack:updated", json!({}), false)]
#[case("stack:deleted", json!({}), true)]
#[case("scan:stored", json!({"resolved": 3}), true)]
#[case("scan:stored", json!({"changed": 1}), false)]
#[case("scan:stored", json!({"completeness": "failed"}), false)]
#[case("notification:destination_failing", json!({}), false)]
#[case("notification:destination_recovered", json!({}), true)]
fn a_subject_is_over_when_it_needs_no_attention(
    #[case] event_type: &str,
    #[case] payload: Value,
    #[case] is_over: bool,
) {
    assert_eq!(facts(event_type, payload).is_over, is_over);
}

#[rstest]
#[case("drift:commented", json!({"id": ID}), &format!("drift:{ID}"), Some(format!("drifts/{ID}")))]
#[case("drift:created", json!({"id": "../x"}), "drift:../x", None)]
#[case("drift:rules_changed", json!({"id": ID}), &format!("drift:{ID}"), Some("admin/rules".into()))]
#[case("alert:created", json!({"id": ID, "driftId": USER}), &format!("alert:{ID}"), Some(format!("drifts/{USER}")))]
#[case("alert:created", json!({"id": ID, "stack": "a/b c"}), &format!("alert:{ID}"), Some("stacks/a%2Fb%20c".into()))]
#[case("alert:closed", json!({"id": ID}), &format!("alert:{ID}"), Some("alerts".into()))]
#[case("alert:all_read", json!({"id": USER}), &format!("user:{USER}"), Some("alerts".into()))]
#[case("stack:updated", json!({"id": ID, "stack": "prod"}), "stack:prod", Some("stacks/prod".into()))]
#[case("stack:deleted", json!({"id": ID, "stack": "prod"}), "stack:prod", Some("stacks".into()))]
#[case("scan:stored", json!({"id": ID, "stack": "prod"}), &format!("scan:{ID}"), Some("stacks/prod".into()))]
#[case("auth:user.deleted", json!({"userId": USER}), &format!("user:{USER}"), Some(format!("admin/users/{USER}")))]
#[case("auth:user.invited", json!({"invitationId": ID}), "auth:user.invited", None)]
#[case("notification:destination_failing", json!({"id": ID}), &format!("destination:{ID}"), None)]
#[case("notification:events_missed", json!({}), "notification:events_missed", None)]
fn a_subject_has_a_key_and_a_page(
    #[case] event_type: &str,
    #[case] payload: Value,
    #[case] key: &str,
    #[case] page: Option<String>,
) {
    let facts = facts(event_type, payload);
    assert_eq!(facts.subject_key, key);
    assert_eq!(facts.link, page.map(|page| format!("https://drift.example.com/#/{page}")));
}

#[test]
fn a_drift_has_its_facts_as_fields() {
    let more = json!({
        "region": null, "costImpactMonthly": -12.5, "resolvedHow": "superseded", "actualState": "secret",
        "reason": "secret", "comment": "secret",
    });
    let facts = Facts::of(&drift("drift:resolved", more), None);
    let fields: Vec<_> = facts.fields.iter().map(|(label, value)| (*label, &**value)).collect();
    let expected = [
        ("Resource", "aws_instance.web[0]"),
        ("Type", "aws_instance"),
        ("Stack", "prod-eu"),
        ("Severity", "critical"),
        ("Status", "detected"),
        ("Cost per month", "-12.50"),
        ("Resolved", "a scan found another state"),
    ];
    assert_eq!(fields, expected);
    assert_eq!((facts.severity, facts.fingerprint.as_deref()), (Some(Severity::Critical), Some("f1")));
    assert_eq!((facts.status.as_deref(), facts.stack.as_deref()), (Some("detected"), Some("prod-eu")));
    assert!(facts.link.is_none());
}

#[rstest]
#[case(json!({"created": 5, "createdCritical": 1}), Severity::Critical)]
#[case(json!({"created": 5}), Severity::Warning)]
#[case(json!({"completeness": "failed"}), Severity::Warning)]
#[case(json!({"resolved": 5}), Severity::Info)]
fn a_scan_is_as_severe_as_its_news(#[case] payload: Value, #[case] severity: Severity) {
    assert_eq!(facts("scan:stored", payload).severity, Some(severity));
}

#[test]
fn all_facts_have_bounded_lengths_and_no_line_breaks() {
    for text in ["", EVIL, &"<".repeat(100_000), &"🦀\n".repeat(100_000)] {
        for event in all_with(text) {
            let facts = Facts::of(&event, Some(URL));
            let texts = facts.fields.iter().map(|(_, value)| value).chain([&facts.title]);
            assert!(texts.clone().all(|text| (1..=300).contains(&text.chars().count())), "{facts:?}");
            assert!(texts.clone().all(|text| !text.contains(['\n', '\r'])), "{facts:?}");
            assert!(
                facts.title.chars().count() <= 200 && facts.subject_key.chars().count() <= 255,
                "{facts:?}"
            );
            assert!(facts.fields.len() <= 10 && facts.link.is_none_or(|link| link.len() <= 1000));
        }
    }
}

#[test]
fn a_payload_of_any_kind_has_facts() {
    for payload in [json!(null), json!([1]), json!("x"), json!({"stack": 1, "id": {}, "severity": "fatal"})] {
        for event_type in ["drift:created", "scan:stored", "alert:created", "no colon"] {
            assert!(!facts(event_type, payload.clone()).title.is_empty());
        }
    }
}

#[test]
fn a_sample_is_recognizable() {
    let facts = Facts::of(&sample(), Some(URL));
    assert_eq!(facts.title, "Info: drift in sample-stack: aws_instance.this_is_a_sample");
    assert_eq!((facts.link, facts.is_over), (None, false));
}

/// The facts about an event as its publisher writes it.
fn published<E: contracts::Event + Serialize>(payload: &E) -> Facts {
    facts(E::TYPE, serde_json::to_value(payload).unwrap())
}

#[test]
fn the_keys_of_payloads_are_those_of_the_catalogue() {
    let (id, at, stack) = (Uuid::from_u128(1), DateTime::UNIX_EPOCH, || "prod".to_owned());
    let resolved = published(&DriftResolved {
        id,
        subject: DriftSubject {
            stack: stack(),
            address: "a.b".to_owned(),
            resource_id: "i-1".to_owned(),
            resource_type: "a".to_owned(),
            severity: Severity::Critical,
            fingerprint: "f1".to_owned(),
        },
        status: Status::Resolved,
        resolved_at: at,
        resolved_how: ResolvedHow::Ignored,
        account_id: None,
    });
    assert_eq!(resolved.title, "Drift resolved in prod: a.b");
    assert!(resolved.is_over && resolved.fingerprint.is_some() && resolved.link.is_some());
    assert!(resolved.fields.contains(&("Resolved", "the rules ignore it".to_owned())));
    assert!(resolved.fields.contains(&("Type", "a".to_owned())));

    let alert = published(&AlertCreated {
        id,
        drift_id: Some(id),
        stack: None,
        alert_type: AlertType::DriftDetected,
        severity: Severity::Warning,
        title: "t".to_owned(),
        message: "m".to_owned(),
        created_at: at,
    });
    assert_eq!(alert.link, Some(format!("{URL}#/drifts/{id}")));
    assert!(alert.title == "t" && alert.fields.contains(&("Message", "m".to_owned())));

    let scan = published(&ScanStored {
        id,
        stack: stack(),
        completeness: Completeness::Partial,
        created: 3,
        created_critical: 1,
        changed: 2,
        unchanged: 9,
        resolved: 1,
        account_id: None,
    });
    assert_eq!(scan.title, "3 new, 2 changed, 1 resolved in prod: 1 critical");
    assert!(scan.fields.contains(&("Scan", "partial".to_owned())));

    let silent = published(&StackSilent { id, stack: stack(), due_at: at });
    assert!(silent.subject_key == "stack:prod" && silent.fields.iter().any(|(label, _)| *label == "Due"));
    let clean = published(&StackUpdated { id, stack: stack(), status: StackStatus::Clean });
    assert!(clean.is_over && clean.title == "Stack prod is clean");

    let failing = DestinationFailing { id, name: "n".to_owned(), failure: "timeout".to_owned(), since: at };
    let failing = published(&failing);
    assert_eq!(failing.title, "Destination n fails");
    assert_eq!(
        failing.fields.iter().map(|(label, _)| *label).collect::<Vec<_>>(),
        ["Destination", "Failure", "Since"]
    );
}
