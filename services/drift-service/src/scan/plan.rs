//! The plan JSON of Terraform and OpenTofu (`terraform show -json plan`), format 1.x.
//!
//! Read in two passes over the same text: the first gathers the secrets and learns which drifts are in
//! computed attributes only, the second judges the entries one by one. Nothing is kept of the plan.

mod regions;
mod secrets;
#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::assess::{Bench, Observation, assess, read_state};
use super::json::Json;
use super::marks::Marks;
use super::stream::each_item;
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
    let regions = regions::of_providers(&plan)?;

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

/// Marks of another form than a tree of `true` mean unmarked, and so do none.
fn read_marks(raw: Option<&RawValue>) -> Option<Json> {
    Json::parse(raw?).ok()
}
