//! A name beside its value: `{name: DB_PASSWORD, value: …}`, as in environments, headers and parameters.

use std::collections::BTreeMap;

use super::names::is_secret_name;
use crate::json::Json;

const NAME_KEYS: [&str; 12] = [
    "name",
    "key",
    "variable",
    "header",
    "setting",
    "field",
    "parameter",
    "parametername",
    "environmentvariable",
    "variablename",
    "label",
    "k",
];
const VALUE_KEYS: [&str; 14] = [
    "value",
    "values",
    "v",
    "content",
    "data",
    "default",
    "stringvalue",
    "plaintext",
    "secretvalue",
    "literal",
    "defaultvalue",
    "parametervalue",
    "valuestring",
    "current",
];
/// What a reference to a secret says. An object of nothing else holds none.
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

/// Whether an object names a secret, so that what it holds as its value is one.
pub fn names_a_secret(fields: &BTreeMap<String, Json>) -> bool {
    fields.iter().any(|(key, value)| {
        let named = || value.as_str().is_some_and(|name| name.len() <= 256 && is_secret_name(name));
        NAME_KEYS.contains(&folded(key).as_str()) && named()
    })
}

pub fn is_value_key(key: &str) -> bool {
    VALUE_KEYS.contains(&folded(key).as_str())
}

/// Whether an object under a telling name only says where the secret is.
pub fn is_reference(fields: &BTreeMap<String, Json>) -> bool {
    fields.len() > 1 && fields.keys().all(|key| REFERENCE_KEYS.contains(&folded(key).as_str()))
        || fields.keys().all(|key| matches!(folded(key).as_str(), "name" | "secretname"))
}

/// Whether an argument announces that the next one is a secret: `--password`, `-e DB_PASSWORD`.
pub fn announces_secret(argument: &str) -> bool {
    let name = argument.trim_start_matches('-');
    argument.starts_with('-') && !argument.contains('=') && name.len() > 1 && is_secret_name(name)
}
