//! Compares every sample of real Terraform with the expectations of an independent program.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use scan::rules::Rules;
use scan::{Criteria, Scan, ScanError, Scope, Source, StateKey, read, unpack};
use serde::Deserialize;
use serde_json::Value;

/// Each secret of the samples contains one of these texts.
const SECRETS: &str = include_str!("../../../../tests/samples/secrets.txt");

fn upload(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples");
    unpack(&std::fs::read(folder.join(format!("{name}.gz"))).unwrap()).unwrap().into_owned()
}

fn read_sample(name: &str, source: Source) -> Result<Scan, ScanError> {
    let (rules, key) = (Rules::default(), StateKey::new(b"a test key"));
    let scope = Scope { source, ..Scope::of_stack("s") };
    Ok(read(&upload(name), &scope, Criteria { rules: &rules, key: &key })?.remove(0))
}

fn expected() -> BTreeMap<String, Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples/expected.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn tally(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
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
}

#[test]
fn every_plan_gives_the_expected_findings() {
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
            // The expectations write "unknown" for an absent region.
            let region = |region: &Option<String>| region.clone().unwrap_or_else(|| "unknown".into());
            assert_eq!(tally(findings.iter().map(|f| region(&f.region))), expected.region, "{at}");
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
                let state_only = findings.iter().filter(|f| f.is_state_only).count();
                assert_eq!(state_only, sample["driftClass"]["state-only"], "{at}");
            }
            if sample["complete"] == false {
                assert!(scan.incomplete.is_some_and(|incomplete| !incomplete.is_assumable), "{at}");
            }
        }
    }
}

#[test]
fn unfinished_plans_and_states_are_refused() {
    for (name, _) in expected().into_iter().filter(|(_, sample)| sample["accept"] == false) {
        assert!(matches!(read_sample(&name, Source::Drift), Err(ScanError::Unsupported(_))), "{name}");
    }
}

#[test]
fn the_lines_of_a_real_run_are_read() {
    let scan = read_sample("edge/ui_stream_not_a_plan.jsonl", Source::Drift).unwrap();
    assert!(scan.findings.iter().all(|finding| finding.lacks_states) && scan.incomplete.is_some());
}

#[test]
fn both_generations_of_driftctl_give_the_expected_findings() {
    let reports = expected().into_iter().filter(|(_, sample)| sample["format"] == "driftctl");
    for (name, sample) in reports {
        let scan = read_sample(&name, Source::Drift).unwrap();
        assert_eq!(scan.findings.len(), sample["drifts"], "{name}");
        let kinds = tally(scan.findings.iter().map(|f| f.kind.into_str().into()));
        assert_eq!(kinds.get("changed").copied().unwrap_or_default(), sample["changed"], "{name}");
        assert_eq!(kinds.get("missing").copied().unwrap_or_default(), sample["missing"], "{name}");
        assert_eq!(scan.skipped, sample["unmanaged"], "{name}");
        assert!(scan.incomplete.is_some(), "{name}");
    }
}

#[test]
fn a_plan_made_without_a_refresh_resolves_nothing() {
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
fn no_secret_remains_in_any_finding() {
    for (name, _) in expected().into_iter().filter(|(_, sample)| sample["accept"] != false) {
        for source in [Source::Drift, Source::Changes] {
            let scan = format!("{:?}", read_sample(&name, source).unwrap());
            assert!(SECRETS.lines().all(|secret| !scan.contains(secret)), "{name}");
        }
    }
}

proptest! {
    /// Most mutations produce invalid JSON, and some produce odd plans; none may panic.
    #[test]
    fn a_damaged_upload_is_refused_or_read_but_never_fatal(
        which in 0usize..5,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        is_printable: bool,
    ) {
        let names = [
            "edge/delete_unicode_shifted_mark.refresh_only.json",
            "terraform_data_1/plan.json",
            "driftctl_20/v040.json",
            "edge/state_not_a_plan.json",
            "edge/ui_stream_not_a_plan.jsonl",
        ];
        let mut damaged = upload(names[which]);
        for (place, byte) in damage {
            let place = place.index(damaged.len());
            damaged[place] = if is_printable { b' ' + byte % 95 } else { byte };
        }
        let (rules, key) = (Rules::default(), StateKey::new(b"a test key"));
        let criteria = Criteria { rules: &rules, key: &key };
        for source in [Source::Drift, Source::Changes] {
            let _ = read(&damaged, &Scope { source, ..Scope::of_stack("s") }, criteria);
        }
    }
}
