use std::collections::BTreeMap;

/// A JSON value.
///
/// `serde_json::Value` turns a number that does not fit into 64 bits into a float, so that two different
/// states could look equal. Objects are sorted, so that equal values have equal texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json {
    Null,
    Bool(bool),
    /// A decimal number in canonical form: `1e2`, `100.0` and `100` are all `100`.
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(fields) => fields.get(key),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value as a float, only for comparing sizes.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            Self::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Returns the elements of an array; an empty slice for any other value.
    pub fn items(&self) -> &[Json] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// Whether the value is `null`, `""`, `[]` or `{}`: Terraform uses each of them for "nothing".
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::String(text) => text.is_empty(),
            Self::Array(items) => items.is_empty(),
            Self::Object(fields) => fields.is_empty(),
            Self::Bool(_) | Self::Number(_) => false,
        }
    }
}
