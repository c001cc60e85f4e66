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
    let leaves =
        |size: i64| -> serde_json::Value { (0..1_000).map(|leaf| (leaf.to_string(), json!(size))).collect() };
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
