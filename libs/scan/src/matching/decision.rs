//! Checks whether a decision still applies to a finding.

use std::collections::BTreeMap;

use contracts::drift::Kind;

use super::stored::Stored;
use crate::equality::{Attribute, are_equal, embedded};
use crate::finding::{Finding, PathHash};
use crate::json::Json;
use crate::path::{Step, dotted_keys};
use crate::redact::HIDDEN;
use crate::rules::{Rules, Subject};

/// Whether the decision on a stored drift still applies to a finding.
pub(super) fn holds<I>(finding: &Finding, row: &Stored<I>, stack: &str, rules: &Rules) -> bool {
    if finding.kind != row.kind {
        return false;
    }
    let Some(decided) = &row.decidable else {
        return holds_since_0_1_0(finding, row, stack, rules);
    };
    if finding.kind != Kind::Changed {
        return true;
    }
    let (decided, drifting) = (by_path(decided), by_path(&finding.decidable));
    let covers_all = drifting
        .iter()
        .all(|(key, (_, values))| decided.get(key).is_some_and(|(_, decided)| decided == values));
    covers_all
        && decided.iter().filter(|(key, _)| !drifting.contains_key(*key)).all(|(_, (path, _))| {
            rules.covers(&subject(finding, stack), path) || has_same_value(finding, row, path)
        })
}

/// Whether a decision in a row of 0.1.0 still applies. Such rows have no hashes, so the stored states are
/// compared; a hidden value counts as unchanged.
pub(super) fn holds_since_0_1_0<I>(finding: &Finding, row: &Stored<I>, stack: &str, rules: &Rules) -> bool {
    if row.decidable.is_some() || finding.kind != row.kind {
        return false;
    }
    if finding.kind != Kind::Changed {
        return true;
    }
    #[derive(serde::Deserialize)]
    struct Shown {
        path: Vec<Step>,
    }
    let Some(shown) =
        row.difference.as_deref().and_then(|text| serde_json::from_str::<Vec<Shown>>(text).ok())
    else {
        return false;
    };
    let names: Vec<String> = shown.iter().map(|shown| dotted_keys(&shown.path)).collect();
    let was_shown = |path: &[Step]| {
        let name = dotted_keys(path);
        names.iter().any(|shown| {
            name == *shown || name.strip_prefix(shown.as_str()).is_some_and(|rest| rest.starts_with('.'))
        })
    };
    let subject = subject(finding, stack);
    finding.decidable.iter().all(|hash| was_shown(&hash.path))
        && shown
            .iter()
            .all(|shown| rules.covers(&subject, &shown.path) || has_same_value(finding, row, &shown.path))
}

type Values<'a> = BTreeMap<&'a str, (&'a [Step], Vec<&'a str>)>;

fn by_path(hashes: &[PathHash]) -> Values<'_> {
    let mut values = Values::new();
    for hash in hashes {
        values.entry(&hash.key).or_insert((&hash.path, Vec::new())).1.push(&hash.value);
    }
    for (_, values) in values.values_mut() {
        values.sort_unstable();
    }
    values
}

fn subject<'a>(finding: &'a Finding, stack: &'a str) -> Subject<'a> {
    Subject { stack, address: &finding.address, resource_type: &finding.resource_type, kind: finding.kind }
}

/// Whether a decided path that no longer drifts still has the actual value that was decided on: then the
/// expected side has adopted it.
fn has_same_value<I>(finding: &Finding, row: &Stored<I>, path: &[Step]) -> bool {
    let keys: Vec<&str> = path.iter().map_while(Step::key).collect();
    let value = |state: &Option<String>| {
        let state = Json::parse_text(state.as_deref().unwrap_or("null")).ok()?;
        Some(without_tags(at(state, &keys)))
    };
    let name = keys.last().copied().unwrap_or_default();
    match (value(&row.actual_state), value(&finding.actual_state)) {
        (Some(was), Some(is)) => {
            are_equal(&was, &is, Attribute { resource_type: &finding.resource_type, name })
        }
        _ => false,
    }
}

/// Returns the value at a path of keys, also inside texts that contain JSON.
fn at(value: Json, keys: &[&str]) -> Json {
    let Some((key, rest)) = keys.split_first() else { return value };
    let value = match value {
        Json::String(text) => embedded(&text).unwrap_or(Json::Null),
        other => other,
    };
    at(value.get(key).cloned().unwrap_or(Json::Null), rest)
}

/// Removes the tags of hidden texts, so that all hidden texts are equal.
fn without_tags(value: Json) -> Json {
    match value {
        Json::String(text) if text.contains(HIDDEN) => Json::String(HIDDEN.into()),
        Json::Array(items) => Json::Array(items.into_iter().map(without_tags).collect()),
        Json::Object(fields) => {
            Json::Object(fields.into_iter().map(|(key, value)| (key, without_tags(value))).collect())
        }
        other => other,
    }
}
