//! Runs the cases of `tests/cases`, step by step.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::drift::Severity;
use scan::Scope;
use scan::path::{Step, dotted};
use serde_json::Value;

use crate::store::{Row, Store};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn upload(name: &str, wrap: Option<&str>) -> Vec<u8> {
    let (file, number) = name.split_once('#').map_or((name, None), |(file, number)| (file, Some(number)));
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let text = match number {
        None => text,
        Some(number) => {
            let scans: Value = serde_json::from_str(&text).unwrap();
            scans["scans"][number.parse::<usize>().unwrap()].to_string()
        }
    };
    let relabelled = |format: &str, version: &str| {
        let mut plan: Value = serde_json::from_str(&text).unwrap();
        plan["format_version"] = format.into();
        plan["terraform_version"] = version.into();
        plan.to_string().into_bytes()
    };
    match wrap {
        None => text.into_bytes(),
        Some("wrapper") => {
            format!("[command]/opt/terraform-bin show -json plan.out\n{text}\n::debug::exitcode: 0\n").into()
        }
        Some("format 0.2") => relabelled("0.2", "1.0.11"),
        Some("format 0.1") => relabelled("0.1", "0.12.31"),
        Some(other) => panic!("{other}"),
    }
}

struct Case {
    store: Store,
    name: String,
    wrong: Vec<String>,
}

impl Case {
    fn must(&mut self, is_so: bool, what: impl FnOnce() -> String) {
        if !is_so {
            let what = format!("{}: {}", self.name, what());
            self.wrong.push(what);
        }
    }

    fn run(&mut self, steps: &Value) {
        for step in steps.as_array().unwrap() {
            if let Some(name) = step["ingest"].as_str() {
                if !self.ingest(name, step) {
                    return;
                }
            } else if step.get("decide").is_some() {
                for address in step["addresses"].as_array().unwrap() {
                    self.store.approve("s", address.as_str().unwrap());
                }
            } else {
                self.look(&step["look"]);
            }
        }
    }

    fn ingest(&mut self, name: &str, step: &Value) -> bool {
        let complete = step["query"]["complete"] == "true";
        let outcome =
            self.store.ingest(&upload(name, step["wrap"].as_str()), &Scope::of_stack("s"), complete);
        let counts = match outcome {
            Ok(counts) => counts,
            Err(refusal) => {
                self.must(step.get("or_message").is_some(), || refusal.to_string());
                return false;
            }
        };
        let wanted = step["counts"].as_object().cloned().unwrap_or_default();
        for (key, value) in wanted {
            let got = match key.as_str() {
                "created" => counts.created,
                "unchanged" => counts.unchanged,
                "resolved" => counts.resolved,
                "skipped" => counts.skipped,
                other => panic!("{other}"),
            };
            self.must(value == got, || format!("{key} is {got}, not {value}: {counts:?}"));
        }
        if let Some(resolved) = step.get("resolves_or_warns") {
            let warns = !counts.warnings.is_empty();
            self.must(*resolved == counts.resolved && warns, || format!("{counts:?}"));
        }
        true
    }

    fn look(&mut self, want: &Value) {
        let rows: Vec<Row> = self.store.live_rows("s").cloned().collect();
        let all = |name: &str| want[name].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        if let Some(live) = want.get("live") {
            self.must(*live == rows.len(), || format!("{} live drifts, not {live}", rows.len()));
        }
        let shown = format!("{:?}", self.store.rows);
        for expected in all("drifts") {
            let address = text(&expected["address"]);
            let Some(row) = rows.iter().find(|row| row.stored.address == address) else {
                self.must(false, || format!("{address} is not there"));
                continue;
            };
            self.compare(row, &expected);
        }
        for address in all("quiet").iter().map(text) {
            let is_quiet = rows
                .iter()
                .all(|row| row.stored.address != address || row.finding.severity == Severity::Info);
            self.must(is_quiet, || format!("{address} is noise"));
        }
        for address in all("none").iter().map(text) {
            self.must(rows.iter().all(|row| row.stored.address != address), || format!("{address} differs"));
        }
        for secret in all("absent").iter().map(text) {
            let encoded = STANDARD.encode(&secret);
            let is_absent = !shown.contains(&secret) && !shown.contains(encoded.trim_end_matches('='));
            self.must(is_absent, || format!("{secret} is shown"));
        }
        for part in all("present").iter().map(text) {
            self.must(shown.contains(&part), || format!("{part} is not shown"));
        }
    }

    fn compare(&mut self, row: &Row, expected: &Value) {
        let finding = &row.finding;
        let optional = |text: &Option<String>| text.clone().map_or(Value::Null, Value::from);
        let paths = || {
            let changes: Vec<Value> = serde_json::from_str(&finding.difference).unwrap();
            let path = |change: &Value| {
                dotted(&serde_json::from_value::<Vec<Step>>(change["path"].clone()).unwrap())
            };
            let mut paths: Vec<String> = changes.iter().map(path).collect();
            paths.sort();
            Value::from(paths)
        };
        for (key, value) in expected.as_object().unwrap() {
            let got = match key.as_str() {
                "address" => finding.address.as_str().into(),
                "severity" => finding.severity.into_str().into(),
                "kind" => finding.kind.into_str().into(),
                "status" => row.status.into(),
                "resourceId" => finding.resource_id.as_str().into(),
                "region" => optional(&finding.region),
                "accountId" => serde_json::to_value(&finding.account_id).unwrap(),
                "paths" => paths(),
                other => panic!("{other}"),
            };
            self.must(got == *value, || format!("{}: {key} is {got}, not {value}", finding.address));
        }
    }
}

#[test]
fn every_case_from_the_field_has_the_expected_result() {
    let cases: Value =
        serde_json::from_str(&std::fs::read_to_string(folder().join("steps.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for case in cases.as_array().unwrap() {
        let name = case["name"].as_str().unwrap().to_owned();
        let mut run = Case { store: Store::new(""), name, wrong: Vec::new() };
        run.run(&case["steps"]);
        wrong.extend(run.wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases.as_array().unwrap().len() >= 12);
}
