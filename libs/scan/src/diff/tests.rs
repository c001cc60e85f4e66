use proptest::prelude::*;

use super::*;
use crate::path::dotted;

fn json(text: &str) -> Json {
    Json::parse_text(text).unwrap()
}

fn changes(expected: &str, actual: &str) -> Vec<ChangedPath<()>> {
    let (expected, actual) = (json(expected), json(actual));
    let sides = [Side::unmarked(&expected), Side::unmarked(&actual)];
    changed_paths("aws_x", sides[0], sides[1], Marks::NONE, &mut |_| ()).unwrap()
}

fn paths(expected: &str, actual: &str) -> Vec<String> {
    changes(expected, actual).iter().map(|change| dotted(&change.path)).collect()
}

fn anchors(expected: &str, actual: &str) -> Vec<String> {
    let mut anchors: Vec<String> = changes(expected, actual)
        .into_iter()
        .map(|change| format!("{} {}", change.anchor, change.actual))
        .collect();
    anchors.sort();
    anchors
}

#[test]
fn nested_keys_and_indexes_make_a_path() {
    let paths = paths(r#"{"a":{"b":[{"c":1,"d":2}]},"e":1}"#, r#"{"a":{"b":[{"c":2,"d":2}]},"f":1}"#);
    assert_eq!(paths, ["a.b.0.c", "e", "f"]);
}

#[test]
fn empty_values_are_equal_only_to_empty_values() {
    assert!(paths(r#"{"a":null,"b":[],"c":{"d":null}}"#, r#"{"a":"","c":{}}"#).is_empty());
    assert_eq!(paths(r#"{"a":null,"b":[],"c":0}"#, r#"{"a":0,"b":[1]}"#), ["a", "b.0", "c"]);
    assert_eq!(paths(r#"{"b":null}"#, r#"{"b":[1]}"#), paths(r#"{"b":[]}"#, r#"{"b":[1]}"#));
}

#[test]
fn paths_lead_into_texts_that_hold_json() {
    let paths =
        paths(r#"{"policy":"{\"a\":{\"b\":1},\"c\":1}"}"#, r#"{"policy":"{ \"c\":1, \"a\":{\"b\":2}}"}"#);
    assert_eq!(paths, ["policy.a.b"]);
    assert_eq!(changes(r#"{"policy":null}"#, r#"{"policy":"{\"a\":1}"}"#)[0].how, How::Added);
}

#[test]
fn an_array_is_a_bag_and_its_order_counts_only_if_nothing_else_differs() {
    assert_eq!(paths(r#"{"items":[1,2],"n":1}"#, r#"{"items":[2,1],"n":2}"#), ["n"]);
    let reordered = changes(r#"{"items":[1,2]}"#, r#"{"items":[2,1]}"#);
    assert_eq!((dotted(&reordered[0].path).as_str(), reordered[0].how), ("items", How::Reordered));
    assert!(paths(r#"{"cidr_blocks":["a","b"]}"#, r#"{"cidr_blocks":["b","a"]}"#).is_empty());
    assert_eq!(paths(r#"{"command":["a","b"],"n":1}"#, r#"{"command":["b","a"],"n":2}"#), ["command", "n"]);
}

#[test]
fn an_anchor_outlives_other_elements_and_new_attributes() {
    let one = anchors(
        r#"{"rule":[{"port":80,"open":["10.0.0.0/8"]}]}"#,
        r#"{"rule":[{"port":80,"open":["0.0.0.0/0"]}]}"#,
    );
    let more = anchors(
        r#"{"rule":[{"port":22,"open":["10.0.0.0/8"]},{"port":80,"open":["10.0.0.0/8"],"new":false}]}"#,
        r#"{"rule":[{"port":80,"open":["0.0.0.0/0"],"new":false},{"port":22,"open":["10.0.0.0/8"]}]}"#,
    );
    assert_eq!(one, more);
    let other_rule = anchors(
        r#"{"rule":[{"port":22,"open":["10.0.0.0/8"]},{"port":80,"open":["10.0.0.0/8"]}]}"#,
        r#"{"rule":[{"port":22,"open":["0.0.0.0/0"]},{"port":80,"open":["10.0.0.0/8"]}]}"#,
    );
    assert_ne!(one, other_rule);
}

#[test]
fn a_mark_hides_the_subtree_and_unknown_values_are_not_compared() {
    let (expected, actual) = (json(r#"{"a":{"b":1},"c":1}"#), json(r#"{"a":{"b":2},"c":2}"#));
    let (marks, unknown) = (json(r#"{"a":true}"#), json(r#"{"c":true}"#));
    let expected = Side { value: &expected, marks: Marks::new(Some(&marks)) };
    let changes =
        changed_paths("x", expected, Side::unmarked(&actual), Marks::new(Some(&unknown)), &mut |_| ())
            .unwrap();
    assert_eq!((changes.len(), changes[0].is_marked, dotted(&changes[0].path)), (1, true, "a".into()));
}

#[test]
fn the_paths_of_one_resource_are_bounded() {
    let key = "k".repeat(10_000);
    let many = |value: u8| {
        let inner: Vec<String> = (0..100).map(|index| format!(r#""{index}":{value}"#)).collect();
        format!(r#"{{"{key}":{{{}}}}}"#, inner.join(","))
    };
    let (expected, actual) = (json(&many(1)), json(&many(2)));
    let sides = [Side::unmarked(&expected), Side::unmarked(&actual)];
    let outcome = changed_paths("x", sides[0], sides[1], Marks::NONE, &mut |_| ());
    assert_eq!(outcome.err(), Some(TooManyChanges));
}

proptest! {
    #[test]
    fn no_path_differs_exactly_where_the_values_are_equal(
        one in r#"\{"a":(null|1|"x"|\[\]|\[1,2\]|\{"b":(null|0)\})\}"#,
        other in r#"\{"a":(null|1|"x"|\[\]|\[1,2\]|\{"b":(null|0)\})\}"#,
    ) {
        let at = Attribute { resource_type: "aws_x", name: "" };
        let is_equal = equality::are_equal(&json(&one), &json(&other), at);
        prop_assert_eq!(paths(&one, &other).is_empty(), is_equal);
        prop_assert_eq!(paths(&one, &other).is_empty(), paths(&other, &one).is_empty());
    }
}
