//! Guarantees to users: identities, decisions, rules and uploads of several plans.

use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client};

use crate::app::{App, upload, walk};
use crate::ingest::counts;

/// Builds a plan of these entries, created at that minute.
pub(crate) fn plan(minute: u32, entries: &[Value]) -> Vec<u8> {
    json!({"format_version": "1.2", "complete": true, "resource_drift": entries,
        "timestamp": format!("2026-11-20T09:{minute:02}:00Z")})
    .to_string()
    .into_bytes()
}

fn entry(name: &str, before: Value, after: Value) -> Value {
    json!({"address": format!("aws_instance.{name}"), "type": "aws_instance", "provider_name": "p",
        "change": {"actions": ["update"], "before": before, "after": after}})
}

async fn live(app: &App, stack: &str) -> Vec<Value> {
    let mut drifts = walk(&app.engineer(), &format!("/api/v1/drifts?limit=100&stack={stack}")).await;
    drifts.retain(|drift| drift["status"] != "resolved");
    drifts
}

async fn approve(caller: &Client, drift: &Value) {
    let path = format!("/api/v1/drifts/{}/approve", drift["id"].as_str().unwrap());
    caller.post(&path, &json!({"reason": "planned"})).await.data();
}

#[rstest]
#[actix_web::test]
async fn a_region_that_becomes_known_updates_the_row_and_keeps_the_decision(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let state = |size: u8| json!({"id": "i-1", "size": size});
    upload(&engineer, "stack=a", plan(0, &[entry("web", state(1), state(2))])).await.data();
    let first = live(&app, "a").await.remove(0);
    assert_eq!((&first["region"], &first["accountId"]), (&Value::Null, &Value::Null));
    approve(&engineer, &first).await;
    let arn = |size: u8| json!({"id": "i-1", "size": size, "arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-1"});
    let again = upload(&engineer, "stack=a", plan(1, &[entry("web", arn(1), arn(2))])).await.data();
    assert_eq!(counts(&again), json!([0, 1, 0, 0, 0, 0]));
    let drift = live(&app, "a").await.remove(0);
    assert_eq!((&drift["id"], &drift["status"]), (&first["id"], &json!("approved")));
    assert_eq!((&drift["region"], &drift["accountId"]), (&json!("eu-west-1"), &json!("123456789012")));
    let moved = json!({"address": "module.m.aws_instance.web", "previous_address": "aws_instance.web",
        "type": "aws_instance", "change": {"actions": ["update"], "before": arn(1), "after": arn(2)}});
    upload(&engineer, "stack=a", plan(2, &[moved])).await.data();
    let drift = live(&app, "a").await.remove(0);
    assert_eq!((&drift["id"], &drift["status"]), (&first["id"], &json!("approved")));
    assert_eq!(drift["address"], "module.m.aws_instance.web");
}

#[rstest]
#[actix_web::test]
async fn a_changed_expected_state_is_shown_with_its_severity_and_an_alert(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let drift = |acl: &str| {
        [entry("b", json!({"id": "b", "acl": acl, "n": 1}), json!({"id": "b", "acl": "public-read", "n": 2}))]
    };
    upload(&engineer, "stack=a", plan(0, &drift("public-read"))).await.data();
    assert_eq!(live(&app, "a").await[0]["severity"], "warning");
    upload(&engineer, "stack=a", plan(1, &drift("private"))).await.data();
    let shown = live(&app, "a").await.remove(0);
    assert_eq!((&shown["severity"], &shown["severityReason"]), (&json!("critical"), &json!("more exposed")));
    let alerts = app.expect_events("alert:created", 1).await;
    assert_eq!(alerts[0]["payload"]["type"], "severity_escalated");

    // The decision remains when the configuration changes again.
    approve(&engineer, &shown).await;
    upload(&engineer, "stack=a", plan(2, &drift("authenticated-read"))).await.data();
    let shown = live(&app, "a").await.remove(0);
    assert_eq!(
        (&shown["status"], &shown["expectedState"]["acl"]),
        (&json!("approved"), &json!("authenticated-read"))
    );
}

#[rstest]
#[actix_web::test]
async fn a_scan_keeps_a_severity_that_a_person_has_set(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let drift = |size: u8| [entry("a", json!({"id": "a", "size": 1}), json!({"id": "a", "size": size}))];
    upload(&engineer, "stack=a", plan(0, &drift(2))).await.data();
    let path = format!("/api/v1/drifts/{}", live(&app, "a").await[0]["id"].as_str().unwrap());
    engineer.patch(&path, &json!({"severity": "info"})).await.data();
    upload(&engineer, "stack=a", plan(1, &drift(3))).await.data();
    let shown = engineer.get(&path).await.data();
    assert_eq!((&shown["severity"], &shown["actualState"]["size"]), (&json!("info"), &json!(3)));
}

#[rstest]
#[actix_web::test]
async fn new_rules_apply_to_stored_drifts_and_unused_rules_are_listed(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let drifts = ["noise", "urgent", "plain"]
        .map(|name| entry(name, json!({"id": name, "size": 1}), json!({"id": name, "size": 2})));
    upload(&engineer, "stack=a", plan(0, &drifts)).await.data();
    let rules = std::env::temp_dir().join(format!("rules-{}.toml", uuid::Uuid::new_v4()));
    let text = "ignore = ['aws_instance.noise', 'aws_instance.nothing']\n[[rule]]\nclass = 'critical'\naddress = '*.urgent'";
    std::fs::write(&rules, text).unwrap();
    let app = app.restarted(&[&format!("--drift-rules={}", rules.display())]).await;
    std::fs::remove_file(&rules).unwrap();
    let mut shown: Vec<(String, String)> = live(&app, "a")
        .await
        .iter()
        .map(|drift| (drift["address"].as_str().unwrap().into(), drift["severity"].as_str().unwrap().into()))
        .collect();
    shown.sort();
    let expected = [("aws_instance.plain", "warning"), ("aws_instance.urgent", "critical")];
    assert_eq!(shown, expected.map(|(address, severity)| (address.to_owned(), severity.to_owned())));
    let resolved = app.engineer().get("/api/v1/drifts?status=resolved").await.data();
    assert_eq!(resolved[0]["resolvedHow"], "ignored");

    // The next scan finds nothing new.
    let again = upload(&app.engineer(), "stack=a", plan(1, &drifts)).await.data();
    assert_eq!(counts(&again), json!([0, 2, 0, 0, 1, 0]));
    let listed = app.viewer().get("/api/v1/drifts/rules").await.data();
    let matches = |index: usize| {
        (
            listed["rules"][index]["rule"].as_str().unwrap(),
            listed["rules"][index]["matches"].as_i64().unwrap(),
        )
    };
    assert_eq!(matches(0), ("critical: address=*.urgent", 1));
    assert_eq!(matches(1), ("ignore: aws_instance.noise", 1));
    assert_eq!(matches(2), ("ignore: aws_instance.nothing", 0));
}

#[rstest]
#[actix_web::test]
async fn each_plan_of_an_upload_is_a_stack(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let one = plan(0, &[entry("one", json!({"id": "1", "n": 1}), json!({"id": "1", "n": 2}))]);
    let two = plan(0, &[entry("two", json!({"id": "2", "n": 1}), json!({"id": "2", "n": 2}))]);
    let both = [one.as_slice(), b"\n", two.as_slice()].concat();
    let report = upload(&app.engineer(), "stack=prod-%7Bn%7D&complete=true", both).await.data();
    assert_eq!(counts(&report), json!([2, 0, 0, 0, 0, 0]));
    assert_eq!(
        report["stacks"][1],
        json!({"stack": "prod-2", "created": 1, "createdCritical": 0, "unchanged": 0, "changed": 0, "resolved": 0})
    );
    assert_eq!((live(&app, "prod-1").await.len(), live(&app, "prod-2").await.len()), (1, 1));
}

#[rstest]
#[actix_web::test]
async fn a_report_lists_new_drifts_most_severe_first(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    for query in ["stack=a&dryRun=true", "stack=a"] {
        let report = app.ingest("fakeaws_20/scan1.plan.json", query).await.data();
        let listed = report["drifts"].as_array().unwrap();
        assert_eq!(
            (listed.len(), &listed[0]["severity"], &listed[0]["change"]),
            (20, &json!("critical"), &json!("created"))
        );
        assert_eq!(listed[0].get("id").is_some(), query == "stack=a");
        assert_eq!(listed[19]["severity"], "info");
    }
}
