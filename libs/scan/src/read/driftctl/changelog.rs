//! Rebuilds the two states from a changelog, as far as possible: only the changed paths.

use std::collections::BTreeMap;

use crate::json::{Json, MAX_DEPTH};

pub(super) struct States {
    pub expected: Json,
    pub actual: Json,
    /// Whether every change is in a computed attribute.
    pub all_computed: bool,
}

/// Returns the two states, or `None` if the changelog does not have the published form.
pub(super) fn states(changelog: &Json) -> Option<States> {
    let entries = match changelog {
        Json::Array(entries) => entries.as_slice(),
        Json::Null => &[],
        _ => return None,
    };
    let mut states = States { expected: empty(), actual: empty(), all_computed: !entries.is_empty() };
    for entry in entries {
        let Some(Json::Array(path)) = entry.get("path") else { return None };
        let path: Vec<&str> = path.iter().map(key).collect::<Option<_>>()?;
        if path.is_empty() || path.len() > MAX_DEPTH {
            return None;
        }
        place(&mut states.expected, &path, entry.get("from"));
        place(&mut states.actual, &path, entry.get("to"));
        states.all_computed &= entry.get("computed") == Some(&Json::Bool(true));
    }
    Some(states)
}

fn empty() -> Json {
    Json::Object(BTreeMap::new())
}

/// Returns the key of a step. List indexes become keys, because only a part of the list is known.
fn key(step: &Json) -> Option<&str> {
    match step {
        Json::String(text) | Json::Number(text) => Some(text),
        _ => None,
    }
}

fn place(state: &mut Json, path: &[&str], value: Option<&Json>) {
    let Some(value) = value.filter(|value| **value != Json::Null) else { return };
    if !matches!(state, Json::Object(_)) {
        *state = empty();
    }
    let Json::Object(fields) = state else { return };
    match path {
        [] => {}
        [last] => {
            fields.insert((*last).into(), value.clone());
        }
        [first, rest @ ..] => place(fields.entry((*first).into()).or_insert_with(empty), rest, Some(value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: serde_json::Value) -> Json {
        Json::parse_text(&value.to_string()).unwrap()
    }

    #[test]
    fn the_states_hold_the_changed_paths() {
        let changelog = parse(json!([
            {"type": "update", "path": ["acl"], "from": "private", "to": "public", "computed": false},
            {"type": "create", "path": ["tags", "owner"], "from": null, "to": "mallory", "computed": true},
            {"type": "update", "path": ["rules", 0, "port"], "from": 22, "to": 23},
        ]));
        let states = states(&changelog).unwrap();
        assert_eq!(states.expected, parse(json!({"acl": "private", "rules": {"0": {"port": 22}}})));
        assert_eq!(
            states.actual,
            parse(json!({"acl": "public", "tags": {"owner": "mallory"}, "rules": {"0": {"port": 23}}}))
        );
        assert!(!states.all_computed);
    }

    #[test]
    fn a_changelog_of_another_form_is_refused() {
        for changelog in [json!({}), json!([{"from": 1}]), json!([{"path": []}]), json!([{"path": [{}]}])] {
            assert!(states(&parse(changelog)).is_none());
        }
    }
}
