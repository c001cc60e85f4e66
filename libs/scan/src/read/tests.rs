use contracts::drift::Kind;
use serde_json::json;

use super::*;
use crate::resource_identity::StateKey;
use crate::rules::Rules;
use crate::scope::Source;

fn read_as(upload: &[u8], scope: &Scope) -> Result<Vec<Scan>, ScanError> {
    let (rules, key) = (Rules::default(), StateKey::new(b"key"));
    read(upload, scope, Criteria { rules: &rules, key: &key })
}

fn scans(upload: &[u8], stack: &str) -> Vec<Scan> {
    read_as(upload, &Scope::of_stack(stack)).unwrap()
}

fn refusal(upload: &[u8]) -> String {
    read_as(upload, &Scope::of_stack("s")).unwrap_err().to_string()
}

fn plan(address: &str) -> String {
    json!({
        "format_version": "1.2", "terraform_version": "1.11.4", "complete": true,
        "resource_drift": [{"address": address, "type": "aws_x", "change": {"actions": ["update"], "before": {"a": 1}, "after": {"a": 2}}}],
    })
    .to_string()
}

#[test]
fn input_that_is_not_a_plan_is_named_with_what_to_send_instead() {
    for (upload, names) in [
        (r#"{"format_version":"1.0","values":{}}"#, "a state, not a plan"),
        (r#"{"version":4,"serial":3,"lineage":"x","resources":[]}"#, "a state, not a plan"),
        (r#"{"format_version":"1.2","planned_values":{},"errored":true}"#, "errored"),
        (r#"{"format_version":"2.0","planned_values":{}}"#, "Terraform 1.1"),
        (r#"{"hello":1}"#, "neither a plan"),
        (r#"{"summary":"all is well","hello":1}"#, "neither a plan"),
        (r#"{"summary":{"total_resources":1}}"#, "neither a plan"),
        (r#"{"payload_version":1,"plan_json_api_url":"https://x","access_token":"t"}"#, "plan_json_api_url"),
        (r#"{"meta":{},"encrypted_data":"x","encryption_version":"v0"}"#, "encrypted"),
        (r#"{"format_version":"1.0","provider_schemas":{}}"#, "providers schema"),
        (r#"{"format_version":"1.0","valid":true,"diagnostics":[]}"#, "validate"),
        (r#"{"errors":[{"status":"404"}]}"#, "an API"),
        (
            "[command]/opt/terraform-bin show -json plan.out\n{\"format_version\":\"1.2\"}\n",
            "text before the JSON",
        ),
        ("+ terraform show -json plan\n{\"format_version\":\"1.2\"}", "text before the JSON"),
        (
            "{\"format_version\":\"1.2\",\"planned_values\":{}}\n::debug::exitcode: 0\n",
            "text around the JSON",
        ),
        ("Terraform will perform the following actions:\n", "the plan as text"),
        ("No changes. Your infrastructure matches the configuration.\n", "the plan as text"),
        ("<!DOCTYPE html><html></html>", "HTML"),
        ("PK\u{3}\u{4}...tfplan...", "binary plan"),
        ("PK\u{3}\u{4}...", "a zip archive"),
        ("resource \"aws_x\" \"y\" {}", "configuration"),
        (r#"{"@level":"info","type":"version"}"#, "UI stream"),
    ] {
        let refusal = refusal(upload.as_bytes());
        assert!(refusal.contains(names), "{upload}: {refusal}");
    }
}

#[test]
fn malformed_json_is_refused_by_line_and_column_and_never_quoted() {
    for upload in ["", "{", "nope", "[1", r#"{"format_version":"hunter2","errored":"hunter2"}"#] {
        let refusal = refusal(upload.as_bytes());
        assert!(refusal.contains("line") && !refusal.contains("hunter2"), "{upload}: {refusal}");
    }
}

#[test]
fn texts_of_windows_are_read() {
    let plan = plan("aws_x.y");
    let units: Vec<u16> = plan.encode_utf16().collect();
    let little: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(units.iter().flat_map(|unit| unit.to_le_bytes())).collect();
    let big: Vec<u8> =
        [0xfe, 0xff].into_iter().chain(units.iter().flat_map(|unit| unit.to_be_bytes())).collect();
    let bare: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let marked = [&[0xef, 0xbb, 0xbf], plan.as_bytes()].concat();
    for upload in [little, big, bare, marked] {
        assert_eq!(scans(&upload, "s")[0].findings.len(), 1);
    }
}

#[test]
fn each_plan_of_an_upload_is_a_stack() {
    let (one, two) = (plan("aws_x.one"), plan("aws_x.two"));
    let stacks = |upload: String, stack: &str| -> Vec<(String, bool)> {
        scans(upload.as_bytes(), stack)
            .into_iter()
            .map(|scan| (scan.stack, scan.incomplete.is_none()))
            .collect()
    };
    let named = |names: [&str; 2], complete| names.map(|name| (name.to_owned(), complete)).to_vec();
    assert_eq!(stacks(format!("{one}\n{two}\n"), "prod"), named(["prod/1", "prod/2"], false));
    assert_eq!(stacks(format!("[{one},{two}]"), "prod-{n}"), named(["prod-1", "prod-2"], true));
    assert_eq!(
        stacks(format!("[vpc] {one}\n[db/main] {two}"), "prod"),
        named(["prod/vpc", "prod/db/main"], true)
    );
    let log =
        |prefix: &str, plan: &str| json!({"level": "stdout", "prefix": prefix, "msg": plan}).to_string();
    assert_eq!(
        stacks(log("./vpc", &one) + &log("db", &two), "{module}-prod"),
        named(["vpc-prod", "db-prod"], true)
    );
    assert_eq!(stacks(format!("{one}\n{one}"), "prod"), [("prod".to_owned(), true)]);
}

#[test]
fn the_lines_of_plan_json_name_what_drifts() {
    let line = |kind: &str, action: &str| {
        json!({"@level": "info", "@timestamp": "2026-11-01T06:00:00Z", "type": kind,
            "change": {"resource": {"addr": "module.m.aws_x.y", "resource_type": "aws_x"}, "action": action}})
        .to_string()
    };
    let end = json!({"@level": "info", "type": "change_summary"}).to_string();
    let upload = [line("resource_drift", "delete"), line("planned_change", "create"), end].join("\n");
    let scan = scans(upload.as_bytes(), "s").remove(0);
    assert_eq!(
        (scan.findings[0].kind, scan.findings[0].address.as_str()),
        (Kind::Missing, "module.m.aws_x.y")
    );
    assert!(scan.warnings[0].contains("lack the states") && scan.incomplete.is_some());
    assert!(scan.findings[0].lacks_states && scan.findings[0].lacks_id);
    let changes = Scope { source: Source::Changes, ..Scope::of_stack("s") };
    assert_eq!(read_as(upload.as_bytes(), &changes).unwrap()[0].findings[0].reason, Some("not yet created"));
    let errored = upload + &json!({"@level": "error", "type": "diagnostic"}).to_string();
    assert!(refusal(errored.as_bytes()).contains("errored"));
}

#[test]
fn old_formats_are_read_with_the_data_that_they_have() {
    let relabelled = |version: &str| {
        plan("aws_x.y").replace(r#""format_version":"1.2""#, &format!(r#""format_version":"{version}""#))
    };
    for version in ["0.1", "0.2"] {
        let scan = scans(relabelled(version).as_bytes(), "s").remove(0);
        assert_eq!(scan.findings.len(), 1, "{version}");
        assert!(scan.warnings[0].contains("Terraform"), "{version}");
    }
    let without_drift = json!({"format_version": "0.1", "resource_changes": []}).to_string();
    assert!(refusal(without_drift.as_bytes()).contains("Terraform 1.1"));
}

#[test]
fn driftctl_is_read_in_all_its_versions() {
    let item = json!([{"id": "i-1", "type": "aws_instance"}]);
    let summary = json!({"total_resources": 3});
    for (report, kinds) in [
        (json!({"summary": summary, "deleted": item, "coverage": 1}), vec![Kind::Missing]),
        (json!({"summary": summary, "missing": item, "managed": null, "alerts": null}), vec![Kind::Missing]),
        (
            json!({"summary": summary, "differences": [{"res": {"id": "i-1", "type": "aws_ssm_parameter"},
            "changelog": [{"path": ["Value"], "from": "hunter2a", "to": "hunter2b"}]}]}),
            vec![Kind::Changed],
        ),
    ] {
        let scan = scans(report.to_string().as_bytes(), "s").remove(0);
        assert_eq!(scan.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), kinds, "{report}");
        assert!(!format!("{scan:?}").contains("hunter2"), "{report}");
    }
}

#[test]
fn reading_ends_at_its_deadline_s86() {
    let deadline = std::time::Instant::now().checked_sub(std::time::Duration::from_secs(1));
    let scope = Scope { deadline, ..Scope::of_stack("s") };
    assert!(matches!(read_as(plan("aws_x.y").as_bytes(), &scope), Err(ScanError::TooSlow)));
}

/// `count` plans, each with `entries` changed resources whose states have `bytes` each.
fn plans(count: usize, entries: usize, bytes: usize) -> String {
    let entry = |number: usize, plan: usize| {
        let state = |value: usize| json!({"a": value, "padding": "x".repeat(bytes), "plan": plan});
        json!({"address": format!("aws_x.y[{number}]"), "type": "aws_x",
            "change": {"actions": ["update"], "before": state(1), "after": state(2)}})
    };
    let plan = |plan: usize| {
        let entries: Vec<_> = (0..entries).map(|number| entry(number, plan)).collect();
        json!({"format_version": "1.2", "resource_drift": entries}).to_string()
    };
    (0..count).map(|number| plan(number) + "\n").collect()
}

#[test]
fn the_limits_hold_for_an_upload_however_many_plans_it_contains_s86() {
    let read = |upload: String| read_as(upload.as_bytes(), &Scope::of_stack("s{n}"));
    assert_eq!(read(plans(3, 10, 0)).unwrap().len(), 3);
    assert!(matches!(read(plans(MAX_PLANS + 1, 1, 0)), Err(ScanError::TooManyPlans)));
    assert!(matches!(read(plans(3, 4_000, 0)), Err(ScanError::TooManyEntries)));
    assert!(matches!(read(plans(4, 50, 200_000)), Err(ScanError::TooMuchDrift)));
}
