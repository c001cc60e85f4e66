use super::super::taint::Taint;
use super::*;
use crate::fingerprint::StateKey;
use crate::rules::{Rules, Severity};

pub fn taint_of(upload: &str) -> Taint {
    secrets::find(&serde_json::from_str(upload).unwrap()).unwrap()
}

fn scan(plan: serde_json::Value, source: Source) -> Result<Scan, ScanError> {
    let (rules, key) = (Rules::default(), StateKey::new(b"key"));
    let scope = Scope { source, ..Scope::default() };
    read(&plan.to_string(), &scope, Judgement { rules: &rules, state_key: &key })
}

fn entry(actions: &[&str], before: serde_json::Value, after: serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "address": "aws_x.y", "mode": "managed", "type": "aws_x", "provider_name": "p",
        "change": {"actions": actions, "before": before, "after": after},
    })
}

#[test]
fn actions_mean_the_opposite_in_the_two_lists() {
    let state = serde_json::json!({"a": 1});
    let null = serde_json::Value::Null;
    for (list, source, action, kind) in [
        ("resource_drift", Source::Drift, "delete", Kind::Missing),
        ("resource_changes", Source::Changes, "create", Kind::Missing),
        ("resource_changes", Source::Changes, "delete", Kind::Unmanaged),
    ] {
        let (before, after) = if action == "create" { (&null, &state) } else { (&state, &null) };
        let scan = scan(serde_json::json!({list: [entry(&[action], before.clone(), after.clone())]}), source);
        assert_eq!(scan.unwrap().findings[0].kind, kind, "{list} {action}");
    }
}

#[test]
fn an_unknown_action_is_a_warning_and_the_scan_tells_nothing_of_absences() {
    let plan = serde_json::json!({"resource_drift": [entry(&["teleport"], 1.into(), 2.into())]});
    let scan = scan(plan, Source::Drift).unwrap();
    assert_eq!((scan.findings.len(), scan.skipped), (0, 1));
    assert!(scan.warnings[0].contains("aws_x.y"));
    assert!(scan.incomplete.is_some());
}

#[test]
fn a_drift_that_the_plan_would_not_touch_is_information() {
    let (one, two) = (serde_json::json!({"etag": 1}), serde_json::json!({"etag": 2}));
    let plan = serde_json::json!({
        "resource_drift": [entry(&["update"], one, two.clone())],
        "resource_changes": [entry(&["no-op"], two.clone(), two)],
    });
    let finding = scan(plan, Source::Drift).unwrap().findings.remove(0);
    assert!(finding.is_state_only);
    assert_eq!(finding.severity, Severity::Info);
}

#[test]
fn the_region_of_the_provider_helps_where_its_configurations_agree() {
    let plan = |other: &str| {
        serde_json::json!({
            "resource_drift": [entry(&["update"], serde_json::json!({"a": 1}), serde_json::json!({"a": 2}))],
            "configuration": {"provider_config": {
                "aws": {"full_name": "p", "expressions": {"region": {"constant_value": "eu-west-1"}}},
                "aws.other": {"full_name": "p", "expressions": {"region": {"constant_value": other}}},
            }},
        })
    };
    let region = |other| scan(plan(other), Source::Drift).unwrap().findings.remove(0).region;
    assert_eq!(region("eu-west-1"), "eu-west-1");
    assert_eq!(region("us-east-1"), "unknown");
}

#[test]
fn too_many_entries_are_refused() {
    let entries = vec![entry(&["no-op"], 1.into(), 1.into()); MAX_ENTRIES + 1];
    let plan = serde_json::json!({"resource_drift": entries});
    assert!(matches!(scan(plan, Source::Drift), Err(ScanError::TooManyEntries)));
}

#[test]
fn a_state_over_its_bound_is_skipped_by_name() {
    let large = serde_json::json!({"a": "x".repeat(super::super::MAX_STATE_BYTES)});
    let plan =
        serde_json::json!({"resource_drift": [entry(&["update"], serde_json::json!({"a": 1}), large)]});
    let scan = scan(plan, Source::Drift).unwrap();
    assert!(scan.findings.is_empty() && scan.incomplete.is_some());
    assert!(scan.warnings[0].contains("too large"), "{:?}", scan.warnings);
}
