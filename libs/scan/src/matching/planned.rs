//! Finds the live drifts that a plan touches when it is applied.

use std::collections::{HashMap, HashSet};

use contracts::drift::Kind;

use super::identify::{self, Found};
use super::stored::Stored;
use crate::finding::{Finding, PathHash};
use crate::path::Step;
use crate::scan::Scan;

/// The action of a plan on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedAction {
    Create,
    Update,
    Replace,
    Delete,
}

/// The way in which a plan touches a drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    /// The plan changes other paths of the resource only.
    Resource,
    /// The plan changes a drifting path whose value has changed since the drift was recorded, or a path that may be
    /// one that drifts.
    Unclear,
    /// The drift does not outlive the plan: the plan changes a drifting path, or creates, replaces or deletes the
    /// resource.
    Drift,
}

/// A live drift of a resource that a plan changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched<I> {
    pub id: I,
    pub action: PlannedAction,
    pub touch: Touch,
    /// The drifting paths that the plan changes. Empty if it changes others, or the resource as a whole.
    pub paths: Vec<Vec<Step>>,
}

/// Returns the drifts that a plan touches. The plan must have been read as one that is about to be applied.
pub fn touched_by<I: Copy>(scan: &Scan, stored: &[Stored<I>]) -> Vec<Touched<I>> {
    let pairs = identify::pair(&scan.findings, stored, &scan.settled);
    let touched = |(finding, found): (&Finding, Option<Found>)| {
        let row = &stored[found?.stored];
        let action = action_of(finding);
        let (touch, paths) = match action {
            PlannedAction::Update => update(finding, row),
            // A resource that is gone stays gone.
            PlannedAction::Delete if row.kind == Kind::Missing => (Touch::Resource, Vec::new()),
            PlannedAction::Create | PlannedAction::Replace | PlannedAction::Delete => {
                (Touch::Drift, Vec::new())
            }
        };
        Some(Touched { id: row.id, action, touch, paths })
    };
    scan.findings.iter().zip(pairs).filter_map(touched).collect()
}

fn action_of(finding: &Finding) -> PlannedAction {
    match finding.kind {
        Kind::Missing => PlannedAction::Create,
        Kind::Unmanaged => PlannedAction::Delete,
        Kind::Changed if finding.is_replaced => PlannedAction::Replace,
        Kind::Changed => PlannedAction::Update,
    }
}

fn update<I>(finding: &Finding, row: &Stored<I>) -> (Touch, Vec<Vec<Step>>) {
    if row.kind != Kind::Changed {
        return (Touch::Resource, Vec::new());
    }
    let changed = |paths: Vec<&PathHash>| {
        let mut paths: Vec<Vec<Step>> = paths.into_iter().map(|change| change.path.clone()).collect();
        paths.sort_unstable();
        paths
    };
    let Some(drifting) = Drifting::of(row) else {
        return (Touch::Unclear, changed(finding.decidable.iter().collect()));
    };
    let touches: Vec<(Touch, &PathHash)> =
        finding.decidable.iter().filter_map(|change| Some((drifting.touched_by(change)?, change))).collect();
    let touch = touches.iter().map(|(touch, _)| *touch).max().unwrap_or(Touch::Resource);
    (touch, changed(touches.into_iter().map(|(_, change)| change).collect()))
}

/// The paths of a drift.
struct Drifting<'a> {
    values: HashMap<&'a str, HashSet<&'a str>>,
    paths: HashSet<&'a [Step]>,
    above: HashSet<&'a [Step]>,
}

impl<'a> Drifting<'a> {
    /// Returns the paths that a decision covers; `None` if they are not known.
    fn of<I>(row: &'a Stored<I>) -> Option<Self> {
        let hashes = row.decidable.as_ref()?;
        // The lines of `plan -json` contain no paths. Otherwise all paths are ones that no decision covers.
        if hashes.is_empty() && row.difference.as_deref().is_none_or(|difference| difference == "[]") {
            return None;
        }
        let mut drifting = Self { values: HashMap::new(), paths: HashSet::new(), above: HashSet::new() };
        for hash in hashes {
            drifting.values.entry(&hash.key).or_default().insert(&hash.value);
            drifting.paths.insert(&hash.path);
            drifting.above.extend(above(&hash.path));
        }
        Some(drifting)
    }

    /// Returns the way in which a change of the plan touches the drift, if it does.
    fn touched_by(&self, change: &PathHash) -> Option<Touch> {
        let Some(values) = self.values.get(change.key.as_str()) else {
            // If a value is sensitive on one side only, the two plans compare it at different depths.
            let is_near = self.above.contains(change.path.as_slice())
                || above(&change.path).any(|path| self.paths.contains(path));
            return is_near.then_some(Touch::Unclear);
        };
        // All texts of a list share one key, so that only an equal value is the one that drifts.
        let is_attribute = matches!(change.path.last(), Some(Step::Key(_)));
        if values.contains(change.value.as_str()) {
            Some(Touch::Drift)
        } else {
            is_attribute.then_some(Touch::Unclear)
        }
    }
}

/// Returns the paths of the values that contain the value at this path.
fn above(path: &[Step]) -> impl Iterator<Item = &[Step]> {
    (1..path.len()).map(|length| &path[..length])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::Decision;
    use crate::resource_identity::StateKey;
    use crate::rules::Rules;
    use crate::scope::{Scope, Source};
    use crate::{Criteria, read};
    use serde_json::{Value, json};

    const RULES: &str = "ignore = [\"aws_x.*.ignored\"]\nvolatile = [\"aws_x.*.moving\"]";

    fn read_list(list: &str, is_planned: bool, change: Value) -> Scan {
        let (rules, key) = (Rules::parse(RULES).unwrap(), StateKey::new(b"key"));
        let source = if list == "resource_drift" { Source::Drift } else { Source::Changes };
        let plan = json!({"format_version": "1.2", "complete": true, "errored": false, "resource_changes": [],
            list: [{"address": "aws_x.y", "type": "aws_x", "change": change}]});
        let scope = Scope { source, is_planned, ..Scope::of_stack("s") };
        let criteria = Criteria { rules: &rules, key: &key };
        read(plan.to_string().as_bytes(), &scope, criteria).unwrap().remove(0)
    }

    /// Builds the stored drift of a resource with this recorded and this real state.
    fn drift(recorded: Value, real: Value) -> Stored<u8> {
        let actions = if real.is_null() { ["delete"] } else { ["update"] };
        let change = json!({"actions": actions, "before": recorded, "after": real});
        let finding = read_list("resource_drift", false, change).findings.remove(0);
        Stored {
            id: 1,
            kind: finding.kind,
            decision: Decision::Made,
            fingerprint: String::new(),
            address: finding.address,
            resource_type: finding.resource_type,
            resource_id: finding.resource_id,
            region: None,
            account_id: None,
            provider: None,
            provider_config: None,
            actual_hash: finding.actual_hash,
            shown_hash: None,
            decidable: Some(finding.decidable),
            actual_state: None,
            difference: None,
        }
    }

    fn touch(
        row: &Stored<u8>,
        actions: &[&str],
        before: Value,
        after: Value,
    ) -> Option<(PlannedAction, Touch)> {
        let change = json!({"actions": actions, "before": before, "after": after});
        let scan = read_list("resource_changes", true, change);
        touched_by(&scan, std::slice::from_ref(row)).first().map(|touched| (touched.action, touched.touch))
    }

    #[test]
    fn an_update_touches_the_drift_at_the_paths_that_drift_only() {
        use PlannedAction::Update;
        let row =
            drift(json!({"id": "1", "size": 1, "name": "a"}), json!({"id": "1", "size": 2, "name": "a"}));
        let real = json!({"id": "1", "size": 2, "name": "a"});
        let at = |before: Value, after: Value| touch(&row, &["update"], before, after);
        assert_eq!(
            at(real.clone(), json!({"id": "1", "size": 1, "name": "a"})),
            Some((Update, Touch::Drift))
        );
        assert_eq!(
            at(real.clone(), json!({"id": "1", "size": 2, "name": "b"})),
            Some((Update, Touch::Resource))
        );
        let later = json!({"id": "1", "size": 3, "name": "a"});
        assert_eq!(at(later, json!({"id": "1", "size": 1, "name": "a"})), Some((Update, Touch::Unclear)));
        // The size is not known before the plan is applied.
        assert_eq!(at(real.clone(), json!({"id": "1", "name": "b"})), Some((Update, Touch::Drift)));
        assert_eq!(touch(&row, &["no-op"], real.clone(), real.clone()), None);
        let renamed = json!({"id": "1", "size": 2, "name": "b"});
        // Rows of 0.1.0 and drifts from the lines of `plan -json` have no paths.
        for decidable in [None, Some(Vec::new())] {
            let unknown = Stored { decidable, ..row.clone() };
            let touched = touch(&unknown, &["update"], real.clone(), renamed.clone());
            assert_eq!(touched, Some((Update, Touch::Unclear)));
        }
        let difference = Some(r#"[{"path":["moving"]}]"#.into());
        let volatile = Stored { decidable: Some(Vec::new()), difference, ..row.clone() };
        assert_eq!(touch(&volatile, &["update"], real, renamed), Some((Update, Touch::Resource)));
    }

    #[test]
    fn one_value_of_a_list_stands_for_itself() {
        use PlannedAction::Update;
        let row = drift(json!({"id": "1", "ips": ["a", "b"]}), json!({"id": "1", "ips": ["a", "b", "c"]}));
        let real = json!({"id": "1", "ips": ["a", "b", "c"]});
        let at = |after: Value| touch(&row, &["update"], real.clone(), json!({"id": "1", "ips": after}));
        assert_eq!(at(json!(["a", "b"])), Some((Update, Touch::Drift)));
        assert_eq!(at(json!(["b", "c"])), Some((Update, Touch::Resource)));
        assert_eq!(at(json!(["a", "b", "c", "d"])), Some((Update, Touch::Resource)));
    }

    #[test]
    fn a_plan_that_replaces_deletes_or_creates_touches_all_drifts_of_the_resource() {
        use PlannedAction::{Create, Delete, Replace};
        let real = json!({"id": "1", "size": 2, "ignored": 1});
        let row = drift(json!({"id": "1", "size": 1, "ignored": 1}), real.clone());
        for actions in [&["delete", "create"][..], &["create", "delete"], &["create", "forget"]] {
            assert_eq!(touch(&row, actions, real.clone(), real.clone()), Some((Replace, Touch::Drift)));
            let ignored = json!({"id": "1", "size": 2, "ignored": 2});
            assert_eq!(touch(&row, actions, real.clone(), ignored), Some((Replace, Touch::Drift)));
        }
        assert_eq!(touch(&row, &["delete"], real.clone(), Value::Null), Some((Delete, Touch::Drift)));
        assert_eq!(touch(&row, &["forget"], real.clone(), Value::Null), None);
        let gone = drift(real.clone(), Value::Null);
        assert_eq!(touch(&gone, &["create"], Value::Null, json!({"size": 2})), Some((Create, Touch::Drift)));
        assert_eq!(touch(&gone, &["delete"], real.clone(), Value::Null), Some((Delete, Touch::Resource)));
    }

    #[test]
    fn a_value_that_is_sensitive_on_one_side_only_is_found() {
        let real = json!({"id": "1", "tags": {"team": "b"}, "name": "a"});
        let row = drift(json!({"id": "1", "tags": {"team": "a"}, "name": "a"}), real.clone());
        let change = json!({"actions": ["update"], "before": real, "after": {"id": "1", "tags": {"team": "a"}, "name": "a"},
            "after_sensitive": {"tags": true}});
        let touched = touched_by(&read_list("resource_changes", true, change), &[row]);
        assert_eq!(touched[0].touch, Touch::Unclear);
        assert_eq!(touched[0].paths, [vec![Step::Key("tags".into())]]);
    }

    #[test]
    fn a_path_that_rules_exclude_by_now_still_counts() {
        let mut row = drift(json!({"id": "1", "size": 1}), json!({"id": "1", "size": 2}));
        let moving =
            drift(json!({"id": "1", "size": 1, "moving": 1}), json!({"id": "1", "size": 2, "moving": 2}));
        assert_eq!(row.decidable, moving.decidable, "a decision does not cover a volatile path");
        let change = json!({"actions": ["update"], "before": {"id": "1", "moving": 2}, "after": {"id": "1", "moving": 1}});
        let scan = read_list("resource_changes", true, change);
        row.decidable = Some(scan.findings[0].decidable.clone());
        assert_eq!(touched_by(&scan, &[row])[0].touch, Touch::Drift);
    }
}
