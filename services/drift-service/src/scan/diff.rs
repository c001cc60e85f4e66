//! Which paths of a resource differ. Values are compared before anything is redacted, so that a
//! rotated secret is a change; the result holds paths only.

use std::collections::BTreeMap;

use serde::Serialize;

use super::json::Json;
use super::marks::Marks;
use super::redact::is_secret_name;

/// One step of a path: paths are JSON arrays, since keys may hold dots, slashes and quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Step {
    Key(String),
    Index(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub path: Vec<Step>,
    /// A mark or the name of a key hides the value.
    pub sensitive: bool,
}

/// How many bytes of keys the changed paths of one resource may hold: a long key above many others is
/// in the path of each of them.
const MAX_PATH_BYTES: usize = 256 * 1024;

/// A resource differs in more paths than can be kept.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyChanges;

/// A value with its marks.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub value: &'a Json,
    pub marks: Marks<'a>,
}

impl<'a> Side<'a> {
    fn key(self, key: &str) -> Self {
        Self { value: self.value.get(key).unwrap_or(&Json::Null), marks: self.marks.key(key) }
    }

    fn item(self, items: &'a [Json], index: usize) -> Self {
        Self { value: items.get(index).unwrap_or(&Json::Null), marks: self.marks.index(index) }
    }
}

/// The changed paths between two states. `unknown` marks what the expected side does not know yet.
///
/// Arrays are compared as bags first, since sets are rendered as arrays of no promised order; where
/// nothing else differs, a changed order is the change.
pub fn changed_paths(
    expected: Side<'_>,
    actual: Side<'_>,
    unknown: Marks<'_>,
) -> Result<Vec<Change>, TooManyChanges> {
    for compare_arrays in [compare_as_bags as CompareArrays, compare_in_order] {
        let mut diff = Diff { compare_arrays, path: Vec::new(), changes: Vec::new(), path_bytes: 0 };
        diff.compare(expected, actual, unknown);
        if diff.path_bytes > MAX_PATH_BYTES {
            return Err(TooManyChanges);
        }
        if !diff.changes.is_empty() {
            return Ok(diff.changes);
        }
    }
    Ok(Vec::new())
}

type CompareArrays = fn(&mut Diff, [(&[Json], Side<'_>); 2], Marks<'_>);

struct Diff {
    compare_arrays: CompareArrays,
    path: Vec<Step>,
    changes: Vec<Change>,
    path_bytes: usize,
}

impl Diff {
    fn compare(&mut self, expected: Side<'_>, actual: Side<'_>, unknown: Marks<'_>) {
        let is_full = self.path_bytes > MAX_PATH_BYTES;
        if is_full || unknown.is_marked() || expected.value == actual.value {
            return;
        }
        if expected.marks.is_marked() || actual.marks.is_marked() {
            return self.push(true);
        }
        let empty = BTreeMap::new();
        match (expected.value, actual.value) {
            (Json::Object(left), Json::Object(right)) => self.fields(left, right, expected, actual, unknown),
            (Json::Object(left), Json::Null) if !left.is_empty() => {
                self.fields(left, &empty, expected, actual, unknown)
            }
            (Json::Null, Json::Object(right)) if !right.is_empty() => {
                self.fields(&empty, right, expected, actual, unknown)
            }
            (Json::Array(left), Json::Array(right)) => {
                (self.compare_arrays)(self, [(left, expected), (right, actual)], unknown)
            }
            _ => self.push(false),
        }
    }

    fn fields(
        &mut self,
        left: &BTreeMap<String, Json>,
        right: &BTreeMap<String, Json>,
        expected: Side<'_>,
        actual: Side<'_>,
        unknown: Marks<'_>,
    ) {
        let only_right = right.keys().filter(|key| !left.contains_key(*key));
        for key in left.keys().chain(only_right) {
            self.step(Step::Key(key.clone()), |diff| {
                diff.compare(expected.key(key), actual.key(key), unknown.key(key));
            });
        }
    }

    fn step(&mut self, step: Step, compare: impl FnOnce(&mut Self)) {
        self.path.push(step);
        compare(self);
        self.path.pop();
    }

    fn push(&mut self, marked: bool) {
        let named = || matches!(self.path.iter().rev().find_map(key_of), Some(key) if is_secret_name(key));
        self.path_bytes += self.path.iter().map(|step| key_of(step).map_or(8, str::len) + 1).sum::<usize>();
        self.changes.push(Change { path: self.path.clone(), sensitive: marked || named() });
    }
}

fn key_of(step: &Step) -> Option<&str> {
    match step {
        Step::Key(key) => Some(key),
        Step::Index(_) => None,
    }
}

/// Takes equal elements out of both arrays, pairs what is left in order, and reports the rest by its
/// place in the array it is in.
fn compare_as_bags(
    diff: &mut Diff,
    [(left, expected), (right, actual)]: [(&[Json], Side<'_>); 2],
    unknown: Marks<'_>,
) {
    let mut unmatched: BTreeMap<&Json, Vec<usize>> = BTreeMap::new();
    for (index, item) in right.iter().enumerate().rev() {
        unmatched.entry(item).or_default().push(index);
    }
    let gone: Vec<usize> = (0..left.len())
        .filter(|index| unmatched.get_mut(&left[*index]).and_then(Vec::pop).is_none())
        .collect();
    let mut came: Vec<usize> = unmatched.into_values().flatten().collect();
    came.sort_unstable();

    for position in 0..gone.len().max(came.len()) {
        let (was, is) = (gone.get(position).copied(), came.get(position).copied());
        let place = is.or(was).unwrap_or_default();
        diff.step(Step::Index(place), |diff| {
            diff.compare(
                expected.item(left, was.unwrap_or(usize::MAX)),
                actual.item(right, is.unwrap_or(usize::MAX)),
                unknown.index(was.unwrap_or(usize::MAX)),
            );
        });
    }
}

fn compare_in_order(
    diff: &mut Diff,
    [(left, expected), (right, actual)]: [(&[Json], Side<'_>); 2],
    unknown: Marks<'_>,
) {
    for index in 0..left.len().max(right.len()) {
        let (was, is) = (expected.item(left, index), actual.item(right, index));
        let is_extra = index >= left.len().min(right.len());
        diff.step(Step::Index(index), |diff| match (was.value, is.value) {
            (Json::Null, Json::Null) if is_extra => diff.push(false),
            _ => diff.compare(was, is, unknown.index(index)),
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{json, value::to_raw_value};

    use super::*;

    fn parse(value: &serde_json::Value) -> Json {
        Json::parse(&to_raw_value(value).unwrap()).unwrap()
    }

    fn paths(expected: serde_json::Value, actual: serde_json::Value) -> serde_json::Value {
        paths_unless(expected, actual, json!(null))
    }

    fn paths_unless(
        expected: serde_json::Value,
        actual: serde_json::Value,
        unknown: serde_json::Value,
    ) -> serde_json::Value {
        let (expected, actual, unknown) = (parse(&expected), parse(&actual), parse(&unknown));
        let side = |value| Side { value, marks: Marks::NONE };
        let changes = changed_paths(side(&expected), side(&actual), Marks::new(Some(&unknown))).unwrap();
        json!(changes.into_iter().map(|change| change.path).collect::<Vec<_>>())
    }

    #[test]
    fn paths_are_arrays_of_the_very_keys() {
        assert_eq!(
            paths(json!({"tags": {"k.with.dots": "v", "x/\"y": 1}}), json!({"tags": {"k.with.dots": "w"}})),
            json!([["tags", "k.with.dots"], ["tags", "x/\"y"]])
        );
    }

    #[test]
    fn null_equals_absent() {
        assert_eq!(paths(json!({"a": null}), json!({})), json!([]));
        assert_eq!(paths(json!({"tags": null}), json!({"tags": {"owner": "x"}})), json!([["tags", "owner"]]));
    }

    #[test]
    fn an_element_inserted_before_others_is_one_change() {
        assert_eq!(paths(json!({"c": ["b", "c"]}), json!({"c": ["a", "b", "c"]})), json!([["c", 0]]));
        assert_eq!(paths(json!({"c": ["a", "b"]}), json!({"c": ["b"]})), json!([["c", 0]]));
    }

    #[test]
    fn a_changed_element_is_followed_into_its_fields() {
        let rule = |port: u16| json!({"rules": [{"port": 22, "from": "x"}, {"port": port, "from": "y"}]});
        assert_eq!(paths(rule(80), rule(443)), json!([["rules", 1, "port"]]));
    }

    #[test]
    fn an_order_matters_only_where_nothing_else_differs() {
        assert_eq!(paths(json!({"l": [1, 2]}), json!({"l": [2, 1]})), json!([["l", 0], ["l", 1]]));
        assert_eq!(paths(json!({"l": [1, 2], "a": 1}), json!({"l": [2, 1], "a": 2})), json!([["a"]]));
    }

    #[test]
    fn what_is_not_known_yet_is_no_change() {
        let unknown = json!({"output": true});
        assert_eq!(
            paths_unless(json!({"input": 1}), json!({"input": 2, "output": 3}), unknown),
            json!([["input"]])
        );
    }

    #[test]
    fn a_path_ends_at_the_mark_so_that_the_keys_of_a_sensitive_map_stay_hidden() {
        let (expected, actual) = (parse(&json!({"m": {"k": 1}})), parse(&json!({"m": {"hunter2": 1}})));
        let marks = parse(&json!({"m": true}));
        let changes = changed_paths(
            Side { value: &expected, marks: Marks::new(Some(&marks)) },
            Side { value: &actual, marks: Marks::NONE },
            Marks::NONE,
        );
        assert_eq!(changes, Ok(vec![Change { path: vec![Step::Key("m".into())], sensitive: true }]));
    }

    #[test]
    fn a_long_key_above_many_others_is_not_written_out_for_each() {
        let leaves = |size: i64| -> serde_json::Value {
            (0..1_000).map(|leaf| (leaf.to_string(), json!(size))).collect()
        };
        let [expected, actual] = [1, 2].map(|size| parse(&json!({"k".repeat(1_000): leaves(size)})));
        let side = |value| Side { value, marks: Marks::NONE };
        assert_eq!(changed_paths(side(&expected), side(&actual), Marks::NONE), Err(TooManyChanges));
    }

    fn any_state() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|flag| json!(flag)),
            (0i64..3).prop_map(|number| json!(number)),
            "[ab]{0,2}".prop_map(|text| json!(text)),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
                prop::collection::btree_map("[abc]", inner, 0..4).prop_map(|fields| json!(fields)),
            ]
        })
    }

    fn without_nulls(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(fields) => fields
                .into_iter()
                .map(|(key, value)| (key, without_nulls(value)))
                .filter(|(_, value)| !value.is_null())
                .collect(),
            serde_json::Value::Array(items) => items.into_iter().map(without_nulls).collect(),
            other => other,
        }
    }

    proptest! {
        #[test]
        fn a_state_has_no_change_against_itself(state in any_state()) {
            prop_assert_eq!(paths(state.clone(), state), json!([]));
        }

        #[test]
        fn states_that_differ_have_a_changed_path(one in any_state(), other in any_state()) {
            let (one, other) = (without_nulls(one), without_nulls(other));
            prop_assume!(one != other);
            prop_assert_ne!(paths(one, other), json!([]));
        }
    }
}
