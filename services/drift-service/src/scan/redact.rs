//! Hides secrets in a state, in three layers: what Terraform marked, what stands under a telling
//! name, and every copy of a secret known from elsewhere in the upload. Terraform's marks alone leak:
//! copies of a marked value are not marked, and marks on list elements shift.

use super::json::Json;
use super::marks::Marks;
use super::taint::Taint;

/// Stands where a secret was.
pub const HIDDEN: &str = "(sensitive value)";

/// Telling names, without the separators that a key may have between its words.
const SECRET_NAMES: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "accesskey",
    "credential",
    "connectionstring",
];

/// A state that may be stored and shown.
pub fn redact(state: Json, marks: Marks<'_>, taint: &Taint) -> Json {
    hide_tainted(hide_named(hide_marked(state, marks)), taint)
}

/// Whether a scalar under this key is a secret by its name.
pub fn is_secret_name(key: &str) -> bool {
    let name: String =
        key.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    name.contains("userdata") || SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

pub(super) fn hide_marked(value: Json, marks: Marks<'_>) -> Json {
    match value {
        Json::Null => Json::Null,
        _ if marks.is_marked() => hidden(),
        Json::Object(fields) => Json::Object(
            fields
                .into_iter()
                .map(|(key, value)| {
                    let value = hide_marked(value, marks.key(&key));
                    (key, value)
                })
                .collect(),
        ),
        Json::Array(items) => Json::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| hide_marked(item, marks.index(index)))
                .collect(),
        ),
        scalar => scalar,
    }
}

pub(super) fn hide_named(value: Json) -> Json {
    map_scalars(value, false, &|scalar, is_named| if is_named { hidden() } else { scalar })
}

pub(super) fn hide_tainted(value: Json, taint: &Taint) -> Json {
    map_scalars(value, false, &|scalar, _| match &scalar {
        Json::String(text) if taint.reaches(text) => hidden(),
        _ => scalar,
    })
}

/// Rebuilds a value with its scalars replaced; null is no secret and stays.
fn map_scalars(value: Json, is_named: bool, replace: &impl Fn(Json, bool) -> Json) -> Json {
    match value {
        Json::Null => Json::Null,
        Json::Object(fields) => Json::Object(
            fields
                .into_iter()
                .map(|(key, value)| {
                    let is_named = is_secret_name(&key);
                    (key, map_scalars(value, is_named, replace))
                })
                .collect(),
        ),
        // A list of secrets is one secret: neither its length nor its size shows.
        Json::Array(items) if is_named && !items.is_empty() && items.iter().all(is_scalar) => {
            replace(Json::Array(items), true)
        }
        Json::Array(items) => {
            Json::Array(items.into_iter().map(|item| map_scalars(item, is_named, replace)).collect())
        }
        scalar => replace(scalar, is_named),
    }
}

fn is_scalar(value: &Json) -> bool {
    !matches!(value, Json::Array(_) | Json::Object(_))
}

fn hidden() -> Json {
    Json::String(HIDDEN.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{json, value::to_raw_value};

    use super::super::taint::TaintCollector;
    use super::*;

    fn parse(value: serde_json::Value) -> Json {
        Json::parse(&to_raw_value(&value).unwrap()).unwrap()
    }

    fn redacted(state: serde_json::Value, marks: serde_json::Value) -> serde_json::Value {
        let (state, marks) = (parse(state), parse(marks));
        let mut secrets = TaintCollector::default();
        secrets.add_marked(&state, Marks::new(Some(&marks)));
        let taint = secrets.finish().unwrap();
        serde_json::from_str(&redact(state, Marks::new(Some(&marks)), &taint).to_text()).unwrap()
    }

    #[test]
    fn a_mark_at_any_depth_hides_its_subtree() {
        assert_eq!(
            redacted(json!({"a": {"b": {"c": 1}}, "d": 2}), json!({"a": {"b": true}, "d": false})),
            json!({"a": {"b": HIDDEN}, "d": 2})
        );
    }

    #[test]
    fn marks_of_another_length_do_no_harm() {
        assert_eq!(redacted(json!([1, 2]), json!([false, true, true])), json!([1, HIDDEN]));
        assert_eq!(redacted(json!([1, 2]), json!([true])), json!([HIDDEN, 2]));
    }

    #[test]
    fn names_hide_scalars_however_they_are_written() {
        for key in [
            "password",
            "dbPasswd",
            "DB-PASSWORD",
            "api_key",
            "apiKey",
            "private.key",
            "user_data",
            "connection string",
        ] {
            let state = json!({key: "x", "nested": {key: [1, true]}, "other": null});
            let expected = json!({key: HIDDEN, "nested": {key: HIDDEN}, "other": null});
            assert_eq!(redacted(state, json!({})), expected, "{key}");
        }
        assert_eq!(
            redacted(json!({"credentials": {"user": "x"}}), json!({})),
            json!({"credentials": {"user": "x"}})
        );
        assert_eq!(redacted(json!({"password": null}), json!({})), json!({"password": null}));
    }

    #[test]
    fn copies_of_a_marked_string_are_hidden_too() {
        assert_eq!(
            redacted(
                json!({"in": "hunter22", "out": "hunter22", "url": "db://u:hunter22@h", "n": "hunter"}),
                json!({"in": true})
            ),
            json!({"in": HIDDEN, "out": HIDDEN, "url": HIDDEN, "n": "hunter"})
        );
    }

    #[test]
    fn short_secrets_hide_equal_strings_only_and_very_short_ones_nothing() {
        assert_eq!(
            redacted(json!({"in": "abcd", "out": "abcd", "long": "xabcdx"}), json!({"in": true})),
            json!({"in": HIDDEN, "out": HIDDEN, "long": "xabcdx"})
        );
        assert_eq!(
            redacted(json!({"in": "abc", "out": "abc"}), json!({"in": true})),
            json!({"in": HIDDEN, "out": "abc"})
        );
    }

    #[test]
    fn a_mark_shifted_by_an_insertion_does_not_leak() {
        let (before, marks) = (parse(json!(["10.0.0.0/8", "list-secret"])), parse(json!([false, true])));
        let mut secrets = TaintCollector::default();
        secrets.add_marked(&before, Marks::new(Some(&marks)));
        let taint = secrets.finish().unwrap();
        let after = parse(json!(["0.0.0.0/0", "10.0.0.0/8", "list-secret"]));
        let shown = redact(after, Marks::new(Some(&marks)), &taint).to_text();
        assert!(!shown.contains("list-secret"), "{shown}");
    }

    proptest! {
        #[test]
        fn a_marked_string_is_nowhere_in_the_result(secret in "[a-z]{8,20}", prefix in "[A-Z]{0,4}") {
            let state = json!({
                "marked": secret,
                "copies": [secret, {"deep": format!("{prefix}{secret}{prefix}")}],
            });
            let shown = redacted(state, json!({"marked": true})).to_string();
            prop_assert!(!shown.contains(&secret));
        }
    }
}
