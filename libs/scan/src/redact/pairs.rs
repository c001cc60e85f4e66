//! A name beside its value: `{name: DB_PASSWORD, value: …}`, as in environments, headers and parameters.

use std::collections::BTreeMap;

use super::names::is_secret_name;
use crate::json::Json;

/// Ends of the keys that hold a name.
const NAME_ENDS: [&str; 14] = [
    "name",
    "key",
    "variable",
    "header",
    "setting",
    "field",
    "parameter",
    "param",
    "option",
    "property",
    "attribute",
    "label",
    "id",
    "path",
];
/// Keys that hold the value of a name, in addition to those that end with "value".
const VALUE_KEYS: [&str; 12] = [
    "v",
    "values",
    "content",
    "data",
    "default",
    "plaintext",
    "literal",
    "valuestring",
    "current",
    "stringdata",
    "binarydata",
    "expression",
];
/// Keys of a reference to a secret. An object with only these keys contains no secret.
const REFERENCE_KEYS: [&str; 13] = [
    "name",
    "namespace",
    "optional",
    "key",
    "kind",
    "valuefrom",
    "apiversion",
    "version",
    "defaultmode",
    "secretname",
    "items",
    "path",
    "driver",
];

fn folded(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether an object names a secret, so that its value is one.
pub(super) fn names_a_secret(fields: &BTreeMap<String, Json>) -> bool {
    fields.iter().any(|(key, value)| {
        let Some(name) = value.as_str().filter(|name| name.len() <= 256) else { return false };
        let key = folded(key);
        let is_name = key == "k" || NAME_ENDS.iter().any(|end| key.ends_with(end));
        // `kind` is that of a Kubernetes manifest.
        (is_name && is_secret_name(name)) || (key == "kind" && name == "Secret")
    })
}

/// Whether a key holds the value of the name beside it.
pub(super) fn is_value_key(key: &str) -> bool {
    let backwards =
        || key.bytes().rev().filter(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    backwards().take(5).eq("value".bytes().rev())
        || VALUE_KEYS.iter().any(|name| backwards().eq(name.bytes().rev()))
}

/// Whether an object under a secret name only refers to the place of the secret.
pub(super) fn is_reference(fields: &BTreeMap<String, Json>) -> bool {
    fields.len() > 1 && fields.keys().all(|key| REFERENCE_KEYS.contains(&folded(key).as_str()))
        || fields.keys().all(|key| matches!(folded(key).as_str(), "name" | "secretname"))
}

/// Whether an argument announces that the next one is a secret: `--password`, `-e DB_PASSWORD`.
pub(super) fn announces_secret(argument: &str) -> bool {
    let name = argument.trim_start_matches('-');
    argument.starts_with('-') && !argument.contains('=') && name.len() > 1 && is_secret_name(name)
}
