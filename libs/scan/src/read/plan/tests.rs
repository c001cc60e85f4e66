use contracts::drift::Severity;
use serde_json::{Value, json};

use super::*;
use crate::limits::{MAX_ENTRIES, MAX_STATE_BYTES};
use crate::resource_identity::StateKey;
use crate::rules::Rules;

pub(super) fn scan(plan: Value, source: Source) -> Result<Scan, ScanError> {
    let (rules, key) = (Rules::default(), StateKey::new(b"key"));
    let scope = Scope { source, ..Scope::of_stack("s") };
    read(&plan.to_string(), &scope, Criteria { rules: &rules, key: &key })
}

pub(super) fn entry(actions: &[&str], before: Value, after: Value) -> Value {
    json!({
        "address": "aws_x.y", "mode": "managed", "type": "aws_x", "provider_name": "p",
        "change": {"actions": actions, "before": before, "after": after},
    })
}

#[test]
fn actions_mean_the_opposite_in_the_two_lists() {
    let state = json!({"a": 1});
    for (list, source, action, kind) in [
        ("resource_drift", Source::Drift, "delete", Kind::Missing),
        ("resource_changes", Source::Changes, "create", Kind::Missing),
        ("resource_changes", Source::Changes, "delete", Kind::Unmanaged),
    ] {
        let (before, after) =
            if action == "create" { (Value::Null, state.clone()) } else { (state.clone(), Value::Null) };
        let scan = scan(json!({list: [entry(&[action], before, after)]}), source);
        assert_eq!(scan.unwrap().findings[0].kind, kind, "{list} {action}");
    }
}

#[test]
fn a_resource_not_yet_created_is_information_and_a_deleted_one_is_missing() {
    let created = entry(&["create"], Value::Null, json!({"a": 1}));
    let planned = scan(json!({"resource_changes": [created]}), Source::Changes).unwrap().findings.remove(0);
    assert_eq!((planned.severity, planned.reason), (Severity::Info, Some("not yet created")));
    let deleted = entry(&["delete"], json!({"a": 1}), Value::Null);
    let both = json!({"resource_changes": [created], "resource_drift": [deleted]});
    assert_eq!(scan(both, Source::Changes).unwrap().findings[0].severity, Severity::Critical);
}

#[test]
fn an_unknown_action_is_a_warning_and_makes_the_scan_incomplete() {
    let plan = json!({"complete": true, "resource_drift": [entry(&["teleport"], 1.into(), 2.into())]});
    let scan = scan(plan, Source::Drift).unwrap();
    assert_eq!((scan.findings.len(), scan.skipped), (0, 1));
    assert!(scan.warnings[0].contains("aws_x.y"));
    assert!(!scan.incomplete.unwrap().is_assumable);
}

#[test]
fn a_drift_that_the_plan_would_not_touch_is_information() {
    let (one, two) = (json!({"a": 1}), json!({"a": 2}));
    let plan = json!({
        "resource_drift": [entry(&["update"], one, two.clone())],
        "resource_changes": [entry(&["no-op"], two.clone(), two)],
    });
    let finding = scan(plan, Source::Drift).unwrap().findings.remove(0);
    assert!(finding.is_state_only);
    assert_eq!(finding.severity, Severity::Info);
}

/// Reads a plan with this configuration and one drift of `module.m["a"].aws_x.y[0]`.
fn placed(configuration: Value, variables: Value, prior: Value) -> [Option<String>; 3] {
    let mut drift = entry(&["update"], json!({"a": 1}), json!({"a": 2}));
    drift["address"] = json!("module.m[\"a\"].aws_x.y[0]");
    let plan = json!({"resource_drift": [drift], "configuration": configuration, "variables": variables, "prior_state": prior});
    let finding = scan(plan, Source::Drift).unwrap().findings.remove(0);
    [finding.region, finding.account_id.map(|id| id.to_string()), finding.provider_config]
}

#[test]
fn the_configuration_of_the_provider_names_the_place() {
    let region = |value: Value| json!({"provider_config": {"aws": {"full_name": "p", "expressions": {"region": value}}}});
    let some = |text: &str| Some(text.to_owned());
    let constant = placed(region(json!({"constant_value": "eu-west-1"})), json!({}), Value::Null);
    assert_eq!(constant, [some("eu-west-1"), None, some("aws")]);
    let by_variable = region(json!({"references": ["var.cfg.region", "var.cfg"]}));
    let variables = json!({"cfg": {"value": {"region": "eu-west-3"}}});
    assert_eq!(placed(by_variable, variables, Value::Null)[0], some("eu-west-3"));
    let in_module = json!({
        "provider_config": {"module.m:aws": {"full_name": "p", "module_address": "module.m",
            "expressions": {"region": {"references": ["var.region"]}}}},
        "root_module": {"module_calls": {"m": {"expressions": {"region": {"references": ["var.main_region"]}}, "module": {}}},
            "variables": {"main_region": {"default": "us-east-2"}}},
    });
    assert_eq!(placed(in_module, json!({}), Value::Null)[0], some("us-east-2"));
    let role = json!([{"role_arn": {"constant_value": "arn:aws:iam::123456789012:role/x"}}]);
    let assumed =
        json!({"provider_config": {"aws": {"full_name": "p", "expressions": {"assume_role": role}}}});
    assert_eq!(placed(assumed, json!({}), Value::Null)[1], some("123456789012"));
}

#[test]
fn a_resource_names_its_configuration_among_several() {
    let configuration = |key: &str| {
        json!({
            "provider_config": {
                "aws": {"full_name": "p", "expressions": {"region": {"constant_value": "eu-west-1"}}},
                "aws.west": {"full_name": "p", "expressions": {"region": {"constant_value": "us-west-2"}}},
            },
            "root_module": {"module_calls": {"m": {"module": {"resources": [
                {"address": "aws_x.y", "provider_config_key": key},
            ]}}}},
        })
    };
    assert_eq!(placed(configuration("aws.west"), json!({}), Value::Null)[0].as_deref(), Some("us-west-2"));
    assert_eq!(placed(configuration("aws"), json!({}), Value::Null)[0].as_deref(), Some("eu-west-1"));
    assert_eq!(placed(configuration("aws.other"), json!({}), Value::Null)[0], None);
}

#[test]
fn data_sources_in_the_state_name_the_place() {
    let data = |resource_type: &str, values: Value| json!({"mode": "data", "type": resource_type, "provider_name": "p", "values": values});
    let prior = |region: &str| {
        json!({"values": {"root_module": {"resources": [
        data("aws_caller_identity", json!({"account_id": "123456789012"})),
        data("aws_region", json!({"name": "eu-west-1"})),
    ], "child_modules": [{"resources": [data("aws_region", json!({"name": region}))]}]}}})
    };
    let agreeing = placed(json!({}), json!({}), prior("eu-west-1"));
    assert_eq!(agreeing, [Some("eu-west-1".into()), Some("123456789012".into()), None]);
    assert_eq!(placed(json!({}), json!({}), prior("us-east-1")), [None, None, None]);
}

#[test]
fn entries_are_bounded_without_counting_unchanged_ones() {
    let many = |action: &str, count: usize| {
        let before = json!({"a": 1});
        scan(json!({"resource_drift": vec![entry(&[action], before.clone(), before); count]}), Source::Drift)
    };
    assert!(matches!(many("update", MAX_ENTRIES + 1), Err(ScanError::TooManyEntries)));
    assert_eq!(many("no-op", MAX_ENTRIES + 1).unwrap().skipped, MAX_ENTRIES + 1);
}

#[test]
fn a_state_over_its_bound_is_skipped_by_name() {
    let large = json!({"a": "x".repeat(MAX_STATE_BYTES)});
    let plan = json!({"resource_drift": [entry(&["update"], json!({"a": 1}), large)]});
    let scan = scan(plan, Source::Drift).unwrap();
    assert!(scan.findings.is_empty() && scan.incomplete.is_some());
    assert!(scan.warnings.iter().any(|warning| warning.contains("too large")), "{:?}", scan.warnings);
}

#[test]
fn a_plan_shows_that_it_is_complete_or_the_caller_vouches_for_it() {
    let drift = json!([entry(&["update"], json!({"a": 1}), json!({"a": 2}))]);
    for (plan, is_incomplete, is_assumable) in [
        (json!({"complete": true, "resource_drift": drift}), false, false),
        (json!({"complete": false, "resource_drift": drift}), true, false),
        (json!({"errored": false, "terraform_version": "1.10.6", "resource_drift": drift}), true, true),
        (json!({"errored": false, "terraform_version": "1.5.7", "resource_drift": drift}), true, true),
        (json!({"terraform_version": "1.5.7", "resource_drift": drift}), true, true),
        (json!({"terraform_version": "1.11.4", "resource_drift": drift}), false, false),
        (json!({"complete": true, "resource_changes": []}), true, true),
        (json!({"complete": true, "planned_values": {}}), false, false),
    ] {
        let incomplete = scan(plan.clone(), Source::Drift).unwrap().incomplete;
        assert_eq!(incomplete.is_some(), is_incomplete, "{plan}");
        assert!(incomplete.is_none_or(|incomplete| incomplete.is_assumable == is_assumable), "{plan}");
    }
}
