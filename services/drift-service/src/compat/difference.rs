//! The difference in the old form: a map from each changed path to its value on both sides.

use std::collections::BTreeMap;

use scan::path::{Step, dotted};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

pub(super) type Difference = BTreeMap<String, Values>;

/// The values of one path. A side without a value, or one that the caller may not see, is `null`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Values {
    #[schema(value_type = Option<Value>)]
    expected: Option<Box<RawValue>>,
    #[schema(value_type = Option<Value>)]
    actual: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Change {
    path: Vec<Step>,
}

/// Returns the changed paths with their values. A path ends before the first list in it, because the elements of the
/// two lists are not in the same places.
pub(super) fn difference(
    changes: Option<&RawValue>,
    expected: Option<&RawValue>,
    actual: Option<&RawValue>,
) -> Difference {
    let changes = changes.and_then(|changes| serde_json::from_str::<Vec<Change>>(changes.get()).ok());
    let keys = changes.unwrap_or_default().into_iter().map(|Change { mut path }| {
        let keys = path.iter().take_while(|step| step.key().is_some()).count();
        path.truncate(keys);
        path
    });
    let paths = keys.collect::<Vec<_>>();
    let mut found = Difference::new();
    for path in &paths {
        found.entry(dotted(path)).or_default();
    }
    let paths = paths.iter().map(Vec::as_slice).collect::<Vec<_>>();
    collect(expected, "", &paths, &mut |path, value| {
        if let Some(values) = found.get_mut(path) {
            values.expected = Some(value.to_owned());
        }
    });
    collect(actual, "", &paths, &mut |path, value| {
        if let Some(values) = found.get_mut(path) {
            values.actual = Some(value.to_owned());
        }
    });
    found
}

/// Calls `found` with the value at each path. Every value is read once for all paths below it.
fn collect(value: Option<&RawValue>, at: &str, paths: &[&[Step]], found: &mut dyn FnMut(&str, &RawValue)) {
    let Some(value) = value else { return };
    let mut below = BTreeMap::<&str, Vec<&[Step]>>::new();
    for path in paths {
        match path.split_first() {
            Some((step, rest)) => below.entry(step.key().unwrap_or_default()).or_default().push(rest),
            None => found(at, value),
        }
    }
    if below.is_empty() {
        return;
    }
    // A value that is no object has nothing below it.
    let Ok(object) = serde_json::from_str::<BTreeMap<String, &RawValue>>(value.get()) else { return };
    for (key, paths) in below {
        let at = if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
        collect(object.get(key).copied(), &at, &paths, found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.into()).unwrap()
    }

    #[test]
    fn each_path_has_its_values_up_to_the_first_list_and_numbers_stay_exact() {
        let changes =
            raw(r#"[{"path":["tags","Name"]},{"path":["rules",1,"port"]},{"path":["rules",2,"port"]},
            {"path":["size"]},{"path":["gone","deep"]}]"#);
        let expected = raw(
            r#"{"tags":{"Name":"a"},"rules":[{"port":1}],"size":12345678901234567890123,"gone":{"deep":1}}"#,
        );
        let actual = raw(r#"{"tags":{"Name":"b"},"rules":[],"size":1.10}"#);
        let found = difference(Some(&changes), Some(&expected), Some(&actual));
        let text = serde_json::to_string(&found).unwrap();
        assert!(text.contains(r#""size":{"expected":12345678901234567890123,"actual":1.10}"#), "{text}");
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["tags.Name"], json!({"expected": "a", "actual": "b"}));
        assert_eq!(found["rules"], json!({"expected": [{"port": 1}], "actual": []}));
        assert_eq!(found["gone.deep"], json!({"expected": 1, "actual": null}));
        assert_eq!(found.as_object().unwrap().len(), 4);
    }

    #[test]
    fn without_states_the_paths_have_no_values() {
        let changes = raw(r#"[{"path":["size"]}]"#);
        let found = difference(Some(&changes), None, None);
        assert_eq!(json!(found), json!({"size": {"expected": null, "actual": null}}));
        assert!(difference(None, None, None).is_empty());
    }
}
