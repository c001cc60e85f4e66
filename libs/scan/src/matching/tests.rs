use contracts::drift::{Kind, Severity};

use super::*;
use crate::finding::PathHash;
use crate::path::Step;

fn hash(path: &str, value: &str) -> PathHash {
    PathHash { path: vec![Step::Key(path.into())], key: path.into(), value: value.into() }
}

fn finding(address: &str, id: &str, values: &[(&str, &str)]) -> Finding {
    let decidable: Vec<PathHash> = values.iter().map(|(path, value)| hash(path, value)).collect();
    let state: serde_json::Map<String, serde_json::Value> =
        values.iter().map(|(path, value)| ((*path).to_owned(), (*value).into())).collect();
    Finding {
        kind: Kind::Changed,
        address: address.into(),
        previous_address: None,
        resource_type: "aws_x".into(),
        resource_id: id.into(),
        lacks_id: id == address,
        region: None,
        account_id: None,
        provider: None,
        provider_config: None,
        expected_state: None,
        actual_state: Some(serde_json::Value::Object(state).to_string()),
        difference: serde_json::json!(
            values.iter().map(|(path, _)| serde_json::json!({"path": [path]})).collect::<Vec<_>>()
        )
        .to_string(),
        actual_hash: format!("{decidable:?}"),
        shown_hash: format!("{decidable:?}"),
        decidable,
        severity: Severity::Warning,
        reason: None,
        is_state_only: false,
        is_replaced: false,
        lacks_states: false,
    }
}

fn stored(finding: &Finding, decision: Decision) -> Stored<u8> {
    Stored {
        id: 7,
        kind: finding.kind,
        decision,
        fingerprint: "f".into(),
        address: finding.address.clone(),
        resource_type: finding.resource_type.clone(),
        resource_id: finding.resource_id.clone(),
        region: finding.region.clone(),
        account_id: finding.account_id.clone(),
        provider: None,
        provider_config: None,
        actual_hash: finding.actual_hash.clone(),
        shown_hash: Some(finding.shown_hash.clone()),
        decidable: Some(finding.decidable.clone()),
        actual_state: finding.actual_state.clone(),
        difference: Some(finding.difference.clone()),
    }
}

fn run(findings: Vec<Finding>, stored: Vec<Stored<u8>>, is_complete: bool) -> Matches<u8> {
    let mut scan = Scan { stack: "s".into(), findings, ..Scan::default() };
    match_findings(&mut scan, stored, is_complete, &Rules::default())
}

fn change_of(found: Finding, row: Stored<u8>) -> Change<u8> {
    run(vec![found], vec![row], false).matches[0].change
}

#[test]
fn another_value_updates_an_undecided_drift_and_supersedes_a_decided_one() {
    let (before, after) = (finding("a.b", "i", &[("size", "1")]), finding("a.b", "i", &[("size", "2")]));
    assert_eq!(change_of(before.clone(), stored(&before, Decision::Made)), Change::Unchanged { id: 7 });
    assert_eq!(change_of(after.clone(), stored(&before, Decision::None)), Change::Updated { id: 7 });
    assert_eq!(change_of(after, stored(&before, Decision::Made)), Change::Superseded { id: 7 });
}

#[test]
fn a_decision_lapses_with_a_new_path_or_a_reverted_value() {
    let decided = finding("a.b", "i", &[("size", "1"), ("open", "yes")]);
    let more = finding("a.b", "i", &[("size", "1"), ("open", "yes"), ("new", "x")]);
    assert_eq!(change_of(more, stored(&decided, Decision::Made)), Change::Superseded { id: 7 });
    let went_back = finding("a.b", "i", &[("size", "1")]);
    assert_eq!(change_of(went_back, stored(&decided, Decision::Made)), Change::Superseded { id: 7 });
    // The expected side came to the value that was decided on.
    let mut adopted = finding("a.b", "i", &[("size", "1")]);
    adopted.actual_state = decided.actual_state.clone();
    assert_eq!(change_of(adopted, stored(&decided, Decision::Made)), Change::Refreshed { id: 7 });
}

#[test]
fn a_decision_ignores_paths_that_rules_cover_by_now() {
    let decided = finding("a.b", "i", &[("size", "1"), ("etag", "x")]);
    let covered = finding("a.b", "i", &[("size", "1")]);
    assert_eq!(change_of(covered, stored(&decided, Decision::Made)), Change::Refreshed { id: 7 });
}

#[test]
fn another_expected_side_refreshes_a_decided_drift() {
    let decided = finding("a.b", "i", &[("size", "1")]);
    let shown = Finding { shown_hash: "other".into(), ..decided.clone() };
    assert_eq!(change_of(shown.clone(), stored(&decided, Decision::Made)), Change::Refreshed { id: 7 });
    assert_eq!(change_of(shown, stored(&decided, Decision::None)), Change::Updated { id: 7 });
}

#[test]
fn two_resources_of_one_id_are_two_drifts() {
    let (one, other) = (finding("a.one", "same", &[("n", "1")]), finding("a.other", "same", &[("n", "1")]));
    let matches = run(vec![one.clone(), other], vec![stored(&one, Decision::Made)], false).matches;
    assert_eq!((matches[0].change, matches[1].change), (Change::Unchanged { id: 7 }, Change::New));
    assert_ne!(matches[0].fingerprint, matches[1].fingerprint);
}

#[test]
fn a_moved_resource_keeps_its_drift() {
    let before = finding("a.old", "i", &[("n", "1")]);
    let named = Finding { previous_address: Some("a.old".into()), ..finding("a.new", "i", &[("n", "1")]) };
    let renamed = finding("a.new", "i", &[("n", "1")]);
    for moved in [named, renamed] {
        let found = &run(vec![moved], vec![stored(&before, Decision::Made)], false).matches[0];
        assert_eq!((found.change, found.learns), (Change::Unchanged { id: 7 }, true));
    }
    // The id alone does not make two addresses one resource.
    let other = finding("a.new", "i", &[("n", "2")]);
    assert_eq!(change_of(other, stored(&before, Decision::Made)), Change::New);
    let by_arn = |address| finding(address, "arn:aws:x:::y", &[("n", address)]);
    assert_eq!(
        change_of(by_arn("a.new"), stored(&by_arn("a.old"), Decision::None)),
        Change::Updated { id: 7 }
    );
}

#[test]
fn a_new_place_is_stored_and_two_known_accounts_are_two_resources() {
    let unknown = finding("a.b", "i", &[("n", "1")]);
    let mut known = finding("a.b", "i", &[("n", "1")]);
    (known.account_id, known.region) = (Some("1".into()), Some("eu".into()));
    let found = &run(vec![known.clone()], vec![stored(&unknown, Decision::Made)], false).matches[0];
    assert_eq!((found.change, found.learns), (Change::Unchanged { id: 7 }, true));
    let found = &run(vec![unknown], vec![stored(&known, Decision::Made)], false).matches[0];
    assert_eq!((found.change, found.learns), (Change::Unchanged { id: 7 }, false));
    let elsewhere = Finding { account_id: Some("2".into()), ..known.clone() };
    let mut row = stored(&known, Decision::Made);
    row.fingerprint =
        Identity { stack: "s", resource_type: "aws_x", resource_id: "i", address: "a.b", account: None }
            .fingerprint();
    let found = &run(vec![elsewhere], vec![row.clone()], false).matches[0];
    assert_eq!(found.change, Change::New);
    assert_ne!(found.fingerprint, row.fingerprint);
}

#[test]
fn an_id_that_becomes_known_is_stored() {
    let lines = Finding { lacks_states: true, ..finding("a.b", "a.b", &[]) };
    let full = finding("a.b", "i-1", &[("n", "1")]);
    let found = &run(vec![full.clone()], vec![stored(&lines, Decision::None)], false).matches[0];
    assert_eq!((found.change, found.learns), (Change::Updated { id: 7 }, true));
    // Lines without states undo nothing.
    assert_eq!(change_of(lines, stored(&full, Decision::Made)), Change::Unchanged { id: 7 });
}

#[test]
fn only_a_complete_scan_or_the_resource_itself_resolves_a_drift() {
    let row = stored(&finding("a.b", "i", &[("n", "1")]), Decision::Made);
    assert!(run(vec![], vec![row.clone()], false).gone.is_empty());
    assert_eq!(run(vec![], vec![row.clone()], true).gone, [7]);
    let settled = crate::finding::Settled {
        address: "a.b".into(),
        resource_type: "aws_x".into(),
        resource_id: "i".into(),
    };
    let mut scan = Scan { stack: "s".into(), settled: vec![settled], ..Scan::default() };
    assert_eq!(match_findings(&mut scan, vec![row], false, &Rules::default()).settled, [7]);
}

#[test]
fn rows_of_0_1_0_keep_their_decisions_if_the_shown_states_are_equal() {
    let found = finding("a.b", "i", &[("size", "1")]);
    let row = Stored {
        shown_hash: None,
        decidable: None,
        actual_hash: "old".into(),
        ..stored(&found, Decision::Made)
    };
    assert_eq!(change_of(found.clone(), row.clone()), Change::Adopted { id: 7 });
    let undecided = Stored { decision: Decision::None, ..row.clone() };
    assert_eq!(change_of(found, undecided), Change::Adopted { id: 7 });
    let other = finding("a.b", "i", &[("size", "2")]);
    assert_eq!(change_of(other, row), Change::Superseded { id: 7 });
}

#[test]
fn a_resource_counts_once_per_scan() {
    let findings = vec![finding("a.b", "i", &[("n", "1")]), finding("a.b", "i", &[("n", "2")])];
    let mut scan = Scan { stack: "s".into(), findings, ..Scan::default() };
    let matches = match_findings(&mut scan, Vec::<Stored<u8>>::new(), false, &Rules::default());
    assert_eq!((matches.matches.len(), scan.skipped), (1, 1));
    assert_eq!(scan.warnings, ["a.b: skipped, the same resource occurs twice"]);
}
