//! Every shared sample against what an independent program expects of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::scan::json::Json;
use crate::scan::marks::Marks;
use crate::scan::redact::{hide_marked, hide_named, hide_tainted};

/// What every secret of the samples contains.
const SECRETS: [&str; 9] = [
    "hunter2",
    "rotated-by-hand",
    "tok-0123456789",
    "user-data-secret",
    "s3cr3t-expected",
    "changed-in-the-console",
    "list-element-secret",
    "whole-object-secret",
    "schema-marked-literal-password",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples")
}

fn upload(name: &str) -> Vec<u8> {
    let packed = std::fs::read(folder().join(format!("{name}.gz"))).unwrap();
    unpack(&packed).unwrap().into_owned()
}

fn read_sample(name: &str, source: Source) -> Result<Scan, ScanError> {
    let (rules, key) = (Rules::default(), StateKey::new(b"a test key"));
    let scope = Scope { source, ..Scope::default() };
    read(&upload(name), &scope, Judgement { rules: &rules, state_key: &key })
}

fn expected() -> BTreeMap<String, Value> {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

fn tally(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

fn holds_secret(text: &str) -> bool {
    SECRETS.iter().any(|secret| text.contains(secret))
}

#[derive(Deserialize)]
struct ExpectedList {
    drifts: usize,
    kind: BTreeMap<String, usize>,
    region: BTreeMap<String, usize>,
    severity: BTreeMap<String, usize>,
    #[serde(rename = "type")]
    resource_type: BTreeMap<String, usize>,
    #[serde(rename = "skippedNoOp")]
    skipped_no_op: usize,
    #[serde(rename = "resourcesLeakingASecret")]
    leaks: BTreeMap<String, usize>,
}

#[test]
fn every_plan_gives_what_is_expected_of_it() {
    let plans = expected().into_iter().filter(|(_, sample)| sample.get("resource_drift").is_some());
    for (name, sample) in plans {
        for (source, list) in [(Source::Drift, "resource_drift"), (Source::Changes, "resource_changes")] {
            let expected: ExpectedList = serde_json::from_value(sample[list].clone()).unwrap();
            let scan = read_sample(&name, source).unwrap();
            let at = format!("{name} {list}");
            let findings = &scan.findings;
            assert_eq!(findings.len(), expected.drifts, "{at}");
            assert_eq!(tally(findings.iter().map(|f| f.kind.into_str().into())), expected.kind, "{at}");
            assert_eq!(
                tally(findings.iter().map(|f| f.severity.into_str().into())),
                expected.severity,
                "{at}"
            );
            assert_eq!(tally(findings.iter().map(|f| f.region.clone())), expected.region, "{at}");
            assert_eq!(
                tally(findings.iter().map(|f| f.resource_type.clone())),
                expected.resource_type,
                "{at}"
            );
            assert_eq!(
                scan.skipped_reasons.get("no-op").copied().unwrap_or_default(),
                expected.skipped_no_op,
                "{at}"
            );
            if source == Source::Drift {
                assert_eq!(
                    findings.iter().filter(|f| f.is_state_only).count(),
                    sample["driftClass"]["state-only"],
                    "{at}"
                );
            }
            if sample["complete"] == false {
                assert!(scan.incomplete.is_some(), "{at}");
            }
        }
    }
}

#[test]
fn what_is_no_finished_plan_is_refused() {
    for (name, _) in expected().into_iter().filter(|(_, sample)| sample["accept"] == false) {
        assert!(matches!(read_sample(&name, Source::Drift), Err(ScanError::Unsupported(_))), "{name}");
    }
    assert!(matches!(
        read_sample("edge/ui_stream_not_a_plan.jsonl", Source::Drift),
        Err(ScanError::Unsupported(_))
    ));
}

#[test]
fn both_generations_of_driftctl_give_what_is_expected_of_them() {
    let reports = expected().into_iter().filter(|(_, sample)| sample["format"] == "driftctl");
    for (name, sample) in reports {
        let scan = read_sample(&name, Source::Drift).unwrap();
        assert_eq!(scan.findings.len(), sample["drifts"], "{name}");
        let kinds = tally(scan.findings.iter().map(|f| f.kind.into_str().into()));
        assert_eq!(kinds.get("changed").copied().unwrap_or_default(), sample["changed"], "{name}");
        assert_eq!(kinds.get("missing").copied().unwrap_or_default(), sample["missing"], "{name}");
        assert_eq!(scan.skipped, sample["unmanaged"], "{name}");
        assert!(scan.incomplete.is_some(), "{name}");
        assert!(!format!("{:?}", scan.findings).contains("hunter2"), "{name}");
    }
}

#[test]
fn a_plan_made_without_looking_resolves_nothing() {
    for (name, is_complete) in [
        ("edge/refresh_disabled.plan.json", false),
        ("edge/targeted.plan.json", false),
        ("terraform_data_1/clean.plan.json", false),
        ("fakeaws_1/clean.refresh_only.json", true),
        ("fakeaws_20/scan1.plan.json", true),
        ("fakeaws_20/scan2.refresh_only.json", true),
    ] {
        assert_eq!(read_sample(name, Source::Drift).unwrap().incomplete.is_none(), is_complete, "{name}");
    }
}

#[test]
fn no_secret_is_left_in_any_finding() {
    for (name, _) in expected().into_iter().filter(|(_, sample)| sample["accept"] != false) {
        for source in [Source::Drift, Source::Changes] {
            let scan = read_sample(&name, source).unwrap();
            assert!(!holds_secret(&format!("{scan:?}")), "{name}");
        }
    }
}

/// Which of the states of a list would show a secret if only some layers hid anything.
#[test]
fn each_layer_of_redaction_is_needed() {
    for (name, sample) in expected() {
        let upload = upload(&name);
        for list in ["resource_drift", "resource_changes"] {
            let Some(expected) = sample.get(list) else { continue };
            let expected: ExpectedList = serde_json::from_value(expected.clone()).unwrap();
            let taint = plan::tests::taint_of(std::str::from_utf8(&upload).unwrap());
            let mut leaks = BTreeMap::from(
                ["none", "mask", "mask+key", "mask+key+taint"].map(|layer| (layer.to_owned(), 0)),
            );
            for resource in drifting(&upload, list) {
                let change = &resource["change"];
                let sides = ["before", "after"]
                    .map(|side| (parse(&change[side]), parse(&change[format!("{side}_sensitive")])));
                let mut count = |layer: &str, hide: &dyn Fn(Json, &Json) -> Json| {
                    let leaks_here = sides
                        .iter()
                        .any(|(state, marks)| holds_secret(&hide(state.clone(), marks).to_text()));
                    *leaks.get_mut(layer).unwrap() += usize::from(leaks_here);
                };
                let marked = |state, marks: &Json| hide_marked(state, Marks::new(Some(marks)));
                count("none", &|state, _| state);
                count("mask", &|state, marks| marked(state, marks));
                count("mask+key", &|state, marks| hide_named(marked(state, marks)));
                count("mask+key+taint", &|state, marks| {
                    hide_tainted(hide_named(marked(state, marks)), &taint)
                });
            }
            assert_eq!(leaks, expected.leaks, "{name} {list}");
        }
    }
}

fn drifting(upload: &[u8], list: &str) -> Vec<Value> {
    let plan: Value = serde_json::from_slice(upload).unwrap();
    let entries = plan.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    entries.into_iter().filter(|entry| entry["change"]["actions"] != serde_json::json!(["no-op"])).collect()
}

fn parse(value: &Value) -> Json {
    Json::parse(&RawValue::from_string(value.to_string()).unwrap()).unwrap()
}

proptest! {
    /// Most mutations make broken JSON, some make odd plans; none may panic.
    #[test]
    fn a_damaged_upload_is_refused_or_read_but_never_fatal(
        which in 0usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        is_printable: bool,
    ) {
        let names = [
            "edge/delete_unicode_shifted_mark.refresh_only.json",
            "terraform_data_1/plan.json",
            "driftctl_20/v040.json",
            "edge/state_not_a_plan.json",
        ];
        let mut damaged = upload(names[which]);
        for (place, byte) in damage {
            let place = place.index(damaged.len());
            damaged[place] = if is_printable { b' ' + byte % 95 } else { byte };
        }
        let (rules, key) = (Rules::default(), StateKey::new(b"a test key"));
        let judgement = Judgement { rules: &rules, state_key: &key };
        for source in [Source::Drift, Source::Changes] {
            let _ = read(&damaged, &Scope { source, ..Scope::default() }, judgement);
        }
    }
}
