//! The single definition of equality: whether two values mean the same, regardless of their notation.
//!
//! [`canonical`] writes equal values as equal texts. The diff, the pairing of elements and the hashes of
//! decisions all use it.

mod iam_policy;
mod lists;
mod scalar;

pub(crate) use iam_policy::{is_policy, normal_policy};
pub(crate) use lists::{is_known_set, is_ordered};

use crate::json::{Json, write_string};

/// The attribute of a value. Some texts are compared by the meaning of their attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub resource_type: &'a str,
    /// The nearest key above the value.
    pub name: &'a str,
}

impl<'a> Attribute<'a> {
    pub(crate) fn named(self, name: &'a str) -> Self {
        Self { name, ..self }
    }
}

/// Maximum nesting of JSON texts inside JSON texts; deeper ones are compared as plain text.
const MAX_EMBEDDED: usize = 4;

/// Returns a text that equal values share. Empty for `null`, `""`, `[]`, `{}` and objects with only such
/// values.
pub(crate) fn canonical(value: &Json, at: Attribute<'_>) -> String {
    let mut text = String::new();
    write(value, at, MAX_EMBEDDED, &mut text);
    text
}

/// Whether two values of an attribute mean the same.
pub(crate) fn are_equal(one: &Json, other: &Json, at: Attribute<'_>) -> bool {
    one == other || canonical(one, at) == canonical(other, at)
}

/// Returns the object or array that a text contains as JSON.
pub(crate) fn embedded(text: &str) -> Option<Json> {
    let trimmed = text.trim_ascii();
    let looks_like_json = matches!(
        (trimmed.as_bytes().first(), trimmed.as_bytes().last()),
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))
    );
    looks_like_json.then(|| Json::parse_text(trimmed).ok())?.map(normal_policy)
}

fn write(value: &Json, at: Attribute<'_>, embeddable: usize, text: &mut String) {
    match value {
        Json::Null => {}
        Json::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Json::Number(digits) => text.push_str(digits),
        Json::String(value) if value.is_empty() => {}
        Json::String(value) => match embedded(value).filter(|_| embeddable > 0) {
            Some(inner) => write(&inner, at, embeddable - 1, text),
            None => scalar::write(value, at, text),
        },
        Json::Array(items) => write_array(items, at, embeddable, text),
        Json::Object(_) if is_policy(value) => {
            write_object(&normal_policy(value.clone()), at, embeddable, text);
        }
        Json::Object(_) => write_object(value, at, embeddable, text),
    }
}

fn write_array(items: &[Json], at: Attribute<'_>, embeddable: usize, text: &mut String) {
    let mut texts: Vec<String> = items
        .iter()
        .map(|item| {
            let mut text = String::new();
            write(item, at, embeddable, &mut text);
            text
        })
        .filter(|text| !text.is_empty())
        .collect();
    if texts.is_empty() {
        return;
    }
    if !is_ordered(at.name) {
        texts.sort_unstable();
    }
    text.push('[');
    text.push_str(&texts.join(","));
    text.push(']');
}

fn write_object(value: &Json, at: Attribute<'_>, embeddable: usize, text: &mut String) {
    let Json::Object(fields) = value else { return };
    let start = text.len();
    for (key, value) in fields {
        let before = text.len();
        text.push(if before == start { '{' } else { ',' });
        write_string(key, text);
        text.push(':');
        let empty = text.len();
        write(value, at.named(key), embeddable, text);
        if text.len() == empty {
            text.truncate(before);
        }
    }
    if text.len() > start {
        text.push('}');
    }
}

#[cfg(test)]
mod tests;
