use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::json::Json;
use crate::read::add_secrets;
use crate::resource_identity::StateKey;
use crate::sensitive_marks::Marks;

fn parse(value: &serde_json::Value) -> Json {
    Json::parse_text(&value.to_string()).unwrap()
}

/// Returns the marked parts of a state, as the reader of plans collects them.
pub(super) fn secrets_of(state: &serde_json::Value, marks: &serde_json::Value) -> Secrets {
    let [state, marks] = [state, marks].map(|value| serde_json::value::to_raw_value(value).unwrap());
    let mut secrets = SecretsCollector::default();
    add_secrets(Some(&state), Some(&marks), &mut secrets).unwrap();
    secrets.finish().unwrap()
}

pub(super) fn redacted(
    resource_type: &str,
    state: serde_json::Value,
    marks: serde_json::Value,
) -> serde_json::Value {
    let (secrets, key) = (secrets_of(&state, &marks), StateKey::new(b"key"));
    let (state, marks) = (parse(&state), parse(&marks));
    let shown = Redactor::new(&secrets, &key).state(resource_type, state, Marks::new(Some(&marks)));
    serde_json::from_str(&shown.to_text()).unwrap()
}

#[test]
fn a_mark_at_any_depth_hides_its_subtree() {
    assert_eq!(
        redacted("x", json!({"a": {"b": {"c": 1}}, "d": 2}), json!({"a": {"b": true}, "d": false})),
        json!({"a": {"b": HIDDEN}, "d": 2})
    );
    assert_eq!(
        redacted("x", json!({"l": [1, 2]}), json!({"l": [false, true, true]})),
        json!({"l": [1, HIDDEN]})
    );
}

#[test]
fn names_hide_scalars_lists_and_objects() {
    let state = json!({"db_password": "x9", "nested": {"apiKey": [1, 2], "pin": 4711}, "credentials": {"user": "u7", "k": "v7"}, "other": null});
    let shown = json!({"db_password": HIDDEN, "nested": {"apiKey": HIDDEN, "pin": HIDDEN}, "credentials": {"user": HIDDEN, "k": HIDDEN}, "other": null});
    assert_eq!(redacted("x", state, json!({})), shown);
}

#[test]
fn ordinary_values_stay() {
    let state = json!({
        "http_tokens": "optional", "secret_arn": "arn:aws:x", "secret_name": "db", "password_enabled": true,
        "minimum_password_length": 14, "password": null, "manage_master_user_password": true,
        "authorization": "NONE", "token_type": "jwt", "kms_key_id": "arn:aws:kms:x", "secrets_enabled": "yes",
        "secret": [{"secret_name": "tls", "optional": false}], "password_policy": [{"require_symbols": true, "minimum_length": 8}],
    });
    assert_eq!(redacted("x", state.clone(), json!({})), state);
}

#[test]
fn a_name_beside_a_value_hides_the_value() {
    let state = json!({"env": [{"name": "DB_PASSWORD", "value": "x9"}, {"name": "SIZE", "value": "x9"}],
        "command": ["run", "--password", "x9", "--size", "x9"]});
    let shown = json!({"env": [{"name": "DB_PASSWORD", "value": HIDDEN}, {"name": "SIZE", "value": "x9"}],
        "command": ["run", "--password", HIDDEN, "--size", "x9"]});
    assert_eq!(redacted("x", state, json!({})), shown);
}

#[test]
fn texts_are_read_and_written_back() {
    let definitions =
        json!([{"image": "a", "environment": [{"name": "API_KEY", "value": "x9y8"}]}]).to_string();
    let values =
        "image: a\nauth:\n  password: x9y8\n  list:\n    - name: TOKEN\n      value: x9y8\nblock: |\n  a\n";
    let dotenv = "SIZE=1\nDB_PASSWORD=x9y8\n";
    let shown = redacted(
        "x",
        json!({"definitions": definitions, "values": [values], "file": dotenv, "plain": "{not json"}),
        json!({}),
    );
    let text = shown.to_string();
    assert!(!text.contains("x9y8"), "{text}");
    assert!(
        shown["values"][0].as_str().unwrap().contains("image: a\n") && shown["plain"] == "{not json",
        "{text}"
    );
    let spaced = r#"{ "a": 1 }"#;
    assert_eq!(redacted("x", json!({"t": spaced}), json!({})), json!({"t": spaced}));
}

#[test]
fn copies_are_hidden_in_every_spelling_and_words_around_them_stay() {
    let state = json!({"in": "hunter22-x&y", "copy": "hunter22-x&y", "url": "db://u/hunter22-x%26y@h", "upper": "HUNTER22-X&Y!",
        "b64": "aHVudGVyMjIteCZ5", "hunter22-x&y": 1, "other": "hunter"});
    let text = redacted("x", state, json!({"in": true})).to_string();
    for spelling in ["hunter22", "HUNTER22", "aHVudGVyMjIteCZ5"] {
        assert!(!text.contains(spelling), "{text}");
    }
    assert!(text.contains(r#""other":"hunter""#), "{text}");
}

#[test]
fn a_weak_secret_hides_whole_values_and_parts_of_urls_only() {
    let state = json!({"in": ["production", "abcd", 4711], "env": "production", "name": "production-vpc", "n": 4711, "m": 47110,
        "url": "https://h/abcd/x?y=production", "short": "abcde"});
    let shown = redacted("x", state, json!({"in": true}));
    assert_eq!(
        shown,
        json!({"in": HIDDEN, "env": HIDDEN, "name": "production-vpc", "n": HIDDEN, "m": 47110,
            "url": format!("https://h/{HIDDEN}/x?y={HIDDEN}"), "short": "abcde"})
    );
}

#[test]
fn a_mark_shifted_by_an_insertion_does_not_leak() {
    let (before, marks) = (json!({"l": ["10.0.0.0/8", "list-element-secret"]}), json!({"l": [false, true]}));
    let (secrets, key) = (secrets_of(&before, &marks), StateKey::new(b"key"));
    let after = parse(&json!({"l": ["0.0.0.0/0", "10.0.0.0/8", "list-element-secret"]}));
    let shown = Redactor::new(&secrets, &key).state("x", after, Marks::new(Some(&parse(&marks)))).to_text();
    assert!(!shown.contains("list-element-secret"), "{shown}");
}

#[test]
fn addresses_and_ids_stay_different_where_secrets_are_hidden() {
    let mut secrets = SecretsCollector::default();
    secrets.add_all(&parse(&json!(["hunter22-a", "hunter22-b", "abcd"])));
    let (secrets, key) = (secrets.finish().unwrap(), StateKey::new(b"key"));
    let redactor = Redactor::new(&secrets, &key);
    let [one, other, weak] = [r#"aws_x.y["hunter22-a"]"#, r#"aws_x.y["hunter22-b"]"#, r#"aws_x.y["abcd"]"#]
        .map(|address| redactor.address(address));
    assert!(one.starts_with("aws_x.y[\"(sensitive value ") && one != other, "{one} {other}");
    assert!(!weak.contains("abcd"), "{weak}");
    assert_eq!(redactor.address("aws_x.y[\"a\"]"), "aws_x.y[\"a\"]");
}

#[test]
fn types_reveal_secrets_under_ordinary_names() {
    assert_eq!(redacted("aws_ssm_parameter", json!({"Value": "x9"}), json!({})), json!({"Value": HIDDEN}));
    assert_eq!(redacted("aws_x", json!({"Value": "x9"}), json!({})), json!({"Value": "x9"}));
}

proptest! {
    #[test]
    fn a_marked_string_is_nowhere_in_the_result(secret in "[a-z]{3,8}[0-9][a-z0-9]{4,12}", prefix in "[A-Z]{0,4}") {
        let state = json!({
            "marked": secret,
            "copies": [secret, {"deep": format!("{prefix}{secret}{prefix}")}, json!({"x": secret}).to_string()],
            secret.clone(): true,
        });
        let shown = redacted("x", state, json!({"marked": true})).to_string();
        prop_assert!(!shown.contains(&secret));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), yaml in "[a-z:\\- \n\"'|>{}\\[\\]#&*!é]{0,60}") {
        redacted("x", json!({"a": text, "b": yaml}), json!({}));
    }
}
