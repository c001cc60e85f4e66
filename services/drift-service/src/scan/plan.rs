//! The plan JSON of Terraform and OpenTofu (`terraform show -json plan`), format 1.x.
//!
//! Read in two passes over the same text: the first gathers the secrets and learns which drifts are in
//! computed attributes only, the second judges the entries one by one. Nothing is kept of the plan.

mod secrets;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::assess::{Bench, Observation, assess, read_state};
use super::json::Json;
use super::marks::Marks;
use super::stream::{each_field, each_item};
use super::{Judgement, MAX_ENTRIES, Scan, ScanError, Scope, Source};
use crate::drift::Kind;

#[derive(Deserialize)]
struct Plan<'a> {
    timestamp: Option<DateTime<Utc>>,
    complete: Option<bool>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    resource_drift: Option<&'a RawValue>,
    resource_changes: Option<&'a RawValue>,
    output_changes: Option<&'a RawValue>,
    planned_values: Option<&'a RawValue>,
    prior_state: Option<PriorState<'a>>,
    configuration: Option<Configuration<'a>>,
}

#[derive(Deserialize)]
struct PriorState<'a> {
    #[serde(borrow)]
    values: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Configuration<'a> {
    #[serde(borrow)]
    provider_config: Option<&'a RawValue>,
    root_module: Option<RootModule<'a>>,
}

#[derive(Deserialize)]
struct RootModule<'a> {
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
}

/// An entry of `resource_drift` or `resource_changes`.
#[derive(Deserialize)]
struct Resource<'a> {
    address: String,
    mode: Option<String>,
    #[serde(rename = "type")]
    resource_type: String,
    provider_name: Option<String>,
    #[serde(borrow)]
    change: ResourceChange<'a>,
}

#[derive(Deserialize)]
struct ResourceChange<'a> {
    actions: Vec<String>,
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    after: Option<&'a RawValue>,
    after_unknown: Option<&'a RawValue>,
    before_sensitive: Option<&'a RawValue>,
    after_sensitive: Option<&'a RawValue>,
}

/// What an entry's actions say about it.
enum Meaning {
    Drift(Kind),
    /// No drift, for this reason.
    None(&'static str),
    /// Not one of the known actions.
    Unknown,
}

pub fn read(upload: &str, scope: &Scope, judgement: Judgement<'_>) -> Result<Scan, ScanError> {
    let plan: Plan<'_> = serde_json::from_str(upload)?;
    let taint = secrets::find(&plan)?;
    let bench = Bench { scope, judgement, taint: &taint };
    let state_only = StateOnly::find(&plan, scope.source)?;
    let regions = provider_regions(&plan)?;

    let entries = match scope.source {
        Source::Drift => plan.resource_drift,
        Source::Changes => plan.resource_changes,
    };
    let mut scan = Scan {
        taken_at: plan.timestamp,
        incomplete: why_incomplete(&plan, scope.source).map(Into::into),
        ..Scan::default()
    };
    let mut count = 0;
    let Some(entries) = entries else { return Ok(scan) };
    each_item(entries, |resource: Resource<'_>| {
        count += 1;
        if count > MAX_ENTRIES {
            return Err(ScanError::TooManyEntries);
        }
        let region = resource.provider_name.as_ref().and_then(|name| regions.get(name)?.as_deref());
        let is_state_only = state_only.holds(&resource.address);
        judge(resource, region, is_state_only, bench, &mut scan)
    })?;
    Ok(scan)
}

fn judge(
    resource: Resource<'_>,
    provider_region: Option<&str>,
    is_state_only: bool,
    bench: Bench<'_>,
    scan: &mut Scan,
) -> Result<(), ScanError> {
    if resource.mode.as_deref() == Some("data") {
        scan.skip("data source");
        return Ok(());
    }
    let kind = match meaning(&resource.change.actions, bench.scope.source) {
        Meaning::Drift(kind) => kind,
        Meaning::None(reason) => {
            scan.skip(reason);
            return Ok(());
        }
        Meaning::Unknown => {
            scan.skip_unread("unknown action", &resource.address);
            return Ok(());
        }
    };
    let ResourceChange { before, after, before_sensitive, after_sensitive, after_unknown, .. } =
        resource.change;
    let (before, after) = match (read_state(before), read_state(after)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(error), _) | (_, Err(error)) => {
            scan.skip_unread(error.reason(), &resource.address);
            return Ok(());
        }
    };
    let trees = [before_sensitive, after_sensitive, after_unknown].map(read_marks);
    let [before_marks, after_marks, unknown] = &trees;
    let [before_marks, after_marks, unknown] =
        [before_marks, after_marks, unknown].map(|tree| Marks::new(tree.as_ref()));
    // In the two lists, before and after have their meanings swapped.
    let (expected, actual) = match bench.scope.source {
        Source::Drift => ((before, before_marks, Marks::NONE), (after, after_marks)),
        Source::Changes => ((after, after_marks, unknown), (before, before_marks)),
    };
    let observation = Observation {
        kind,
        address: resource.address.clone(),
        resource_type: resource.resource_type,
        resource_id: None,
        expected: expected.0,
        expected_marks: expected.1,
        unknown: expected.2,
        actual: actual.0,
        actual_marks: actual.1,
        provider_region,
        is_state_only,
    };
    scan.take(assess(observation, bench), &resource.address)
}

fn meaning(actions: &[String], source: Source) -> Meaning {
    use Source::{Changes, Drift};
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    match (actions.as_slice(), source) {
        (["no-op"], _) => Meaning::None("no-op"),
        (["read"], _) => Meaning::None("read"),
        (["forget"], _) => Meaning::None("forget"),
        (["update"] | ["delete", "create"] | ["create", "delete"] | ["create", "forget"], _) => {
            Meaning::Drift(Kind::Changed)
        }
        (["delete"], Drift) | (["create"], Changes) => Meaning::Drift(Kind::Missing),
        (["create"], Drift) | (["delete"], Changes) => Meaning::Drift(Kind::Unmanaged),
        _ => Meaning::Unknown,
    }
}

/// Why what is absent from this plan may still be there. A plan made with `-refresh=false` equals a
/// clean one in every key, so a plan counts as clean only if it shows that it looked: it found drift,
/// or it is of the refresh-only form, which has no `resource_changes`.
fn why_incomplete(plan: &Plan<'_>, source: Source) -> Option<&'static str> {
    if plan.complete == Some(false) {
        return Some("the plan is targeted or otherwise partial");
    }
    let found_drift = plan.resource_drift.is_some_and(|drift| drift.get().contains('{'));
    let is_refresh_only = plan.resource_changes.is_none();
    (source == Source::Drift && !found_drift && !is_refresh_only).then_some(
        "a plan without drift can't be told from one made with -refresh=false; send a plan made with -refresh-only",
    )
}

/// The drifted addresses for which the plan would do nothing: only computed attributes differ.
struct StateOnly(BTreeSet<String>);

impl StateOnly {
    fn find(plan: &Plan<'_>, source: Source) -> Result<Self, ScanError> {
        let (Source::Drift, Some(drift), Some(changes)) =
            (source, plan.resource_drift, plan.resource_changes)
        else {
            return Ok(Self(BTreeSet::new()));
        };
        let mut drifted = BTreeSet::new();
        each_item(drift, |resource: Resource<'_>| {
            drifted.insert(resource.address);
            if drifted.len() > MAX_ENTRIES { Err(ScanError::TooManyEntries) } else { Ok(()) }
        })?;
        let mut untouched = BTreeSet::new();
        each_item(changes, |resource: Resource<'_>| {
            if resource.change.actions == ["no-op"] && drifted.contains(&resource.address) {
                untouched.insert(resource.address);
            }
            Ok(())
        })?;
        Ok(Self(untouched))
    }

    fn holds(&self, address: &str) -> bool {
        self.0.contains(address)
    }
}

#[derive(Deserialize)]
struct ProviderConfig<'a> {
    full_name: Option<String>,
    #[serde(borrow)]
    expressions: Option<Expressions<'a>>,
}

#[derive(Deserialize)]
struct Expressions<'a> {
    #[serde(borrow)]
    region: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Constant {
    constant_value: Option<String>,
}

/// The region that each provider is configured with; `None` where its configurations disagree.
fn provider_regions(plan: &Plan<'_>) -> Result<HashMap<String, Option<String>>, ScanError> {
    let mut regions: HashMap<String, Option<String>> = HashMap::new();
    let providers = plan.configuration.as_ref().and_then(|configuration| configuration.provider_config);
    let Some(providers) = providers else { return Ok(regions) };
    each_field(providers, |key, provider: ProviderConfig<'_>| {
        let region = provider
            .expressions
            .and_then(|expressions| {
                serde_json::from_str::<Constant>(expressions.region?.get()).ok()?.constant_value
            })
            .filter(|region| (1..=64).contains(&region.chars().count()));
        let Some(region) = region else { return Ok(()) };
        regions
            .entry(provider.full_name.unwrap_or(key))
            .and_modify(|known| {
                if known.as_ref() != Some(&region) {
                    *known = None;
                }
            })
            .or_insert(Some(region));
        Ok(())
    })?;
    Ok(regions)
}

/// Marks of another form than a tree of `true` mean unmarked, and so do none.
fn read_marks(raw: Option<&RawValue>) -> Option<Json> {
    Json::parse(raw?).ok()
}

#[cfg(test)]
pub(super) mod tests {
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
            let scan =
                scan(serde_json::json!({list: [entry(&[action], before.clone(), after.clone())]}), source);
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
}
