//! IAM policies: a single value equals a list of that value, actions ignore case, and an account equals its
//! root user.

use std::collections::BTreeMap;

use crate::json::Json;

/// Whether an object is a policy document.
pub(crate) fn is_policy(value: &Json) -> bool {
    value.get("Statement").is_some_and(|statement| !statement.is_scalar())
}

/// Returns the normal form that equal policies share; any other value unchanged.
pub(crate) fn normal_policy(value: Json) -> Json {
    if !is_policy(&value) {
        return value;
    }
    let Json::Object(mut fields) = value else { return value };
    let statements = match fields.remove("Statement") {
        Some(Json::Array(statements)) => statements,
        Some(statement) => vec![statement],
        None => Vec::new(),
    };
    let statements = statements.into_iter().map(normal_statement).collect();
    fields.insert("Statement".into(), Json::Array(statements));
    Json::Object(fields)
}

fn normal_statement(statement: Json) -> Json {
    let Json::Object(fields) = statement else { return statement };
    let normal = |(key, value): (String, Json)| {
        let value = match key.as_str() {
            "Action" | "NotAction" => texts(value, &|action| action.to_ascii_lowercase()),
            "Resource" | "NotResource" => texts(value, &|resource| resource),
            "Principal" | "NotPrincipal" => principals(value),
            "Condition" => conditions(value),
            _ => value,
        };
        (key, value)
    };
    Json::Object(fields.into_iter().map(normal).collect())
}

fn principals(value: Json) -> Json {
    match value {
        Json::String(everybody) => {
            let everybody = Json::Array(vec![Json::String(everybody)]);
            Json::Object(BTreeMap::from([("AWS".into(), everybody)]))
        }
        Json::Object(kinds) => {
            Json::Object(kinds.into_iter().map(|(kind, who)| (kind, texts(who, &account_of_root))).collect())
        }
        other => other,
    }
}

/// Shortens `arn:aws:iam::123456789012:root` to `123456789012`.
fn account_of_root(principal: String) -> String {
    let account = principal.strip_suffix(":root").and_then(|arn| arn.rsplit_once(":iam::"));
    account.map_or_else(|| principal.clone(), |(_, account)| account.into())
}

fn conditions(value: Json) -> Json {
    let Json::Object(operators) = value else { return value };
    let operator = |(operator, keys): (String, Json)| match keys {
        Json::Object(keys) => {
            let keys = keys.into_iter().map(|(key, values)| (key, texts(values, &|value| value)));
            (operator, Json::Object(keys.collect()))
        }
        other => (operator, other),
    };
    Json::Object(operators.into_iter().map(operator).collect())
}

/// Returns the values as a list of texts.
fn texts(value: Json, write: &dyn Fn(String) -> String) -> Json {
    let items = match value {
        Json::Array(items) => items,
        scalar => vec![scalar],
    };
    let text = |item| match item {
        Json::String(text) => Json::String(write(text)),
        Json::Bool(value) => Json::String(value.to_string()),
        Json::Number(digits) => Json::String(digits),
        other => other,
    };
    Json::Array(items.into_iter().map(text).collect())
}
