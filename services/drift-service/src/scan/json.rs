//! A JSON value that keeps every digit of its numbers.
//!
//! `serde_json::Value` turns what does not fit 64 bits into a float; two different states could then
//! look alike. Objects are sorted, so equal values have equal texts.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// How deep a state may nest.
pub const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json {
    Null,
    Bool(bool),
    /// A decimal number in its canonical form: `1e2`, `100.0` and `100` are all `100`.
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("it is not valid JSON")]
    Invalid,
}

impl Json {
    pub fn parse(raw: &RawValue) -> Result<Self, JsonError> {
        Self::parse_at(raw, 0)
    }

    fn parse_at(raw: &RawValue, depth: usize) -> Result<Self, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        let text = raw.get();
        let invalid = |_| JsonError::Invalid;
        Ok(match text.as_bytes().first() {
            Some(b'{') => Self::Object(
                serde_json::from_str::<BTreeMap<String, &RawValue>>(text)
                    .map_err(invalid)?
                    .into_iter()
                    .map(|(key, value)| Ok((key, Self::parse_at(value, depth + 1)?)))
                    .collect::<Result<_, JsonError>>()?,
            ),
            Some(b'[') => Self::Array(
                serde_json::from_str::<Vec<&RawValue>>(text)
                    .map_err(invalid)?
                    .into_iter()
                    .map(|value| Self::parse_at(value, depth + 1))
                    .collect::<Result<_, JsonError>>()?,
            ),
            Some(b'"') => Self::String(serde_json::from_str(text).map_err(invalid)?),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ => Self::Number(canonical_number(text)),
        })
    }

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

    /// The value as JSON text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, Self::write_in_order);
        text
    }

    /// A text that is equal for values that differ in the order of arrays only: Terraform renders
    /// sets as arrays and promises no order.
    pub fn to_unordered_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, Self::write_sorted);
        text
    }

    fn write(&self, text: &mut String, write_items: fn(&[Json], &mut String)) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => text.push_str(digits),
            Self::String(value) => write_string(value, text),
            Self::Array(items) => {
                text.push('[');
                write_items(items, text);
                text.push(']');
            }
            Self::Object(fields) => {
                text.push('{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    write_string(key, text);
                    text.push(':');
                    value.write(text, write_items);
                }
                text.push('}');
            }
        }
    }

    fn write_in_order(items: &[Json], text: &mut String) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            item.write(text, Self::write_in_order);
        }
    }

    fn write_sorted(items: &[Json], text: &mut String) {
        let mut texts: Vec<String> = items.iter().map(Self::to_unordered_text).collect();
        texts.sort_unstable();
        text.push_str(&texts.join(","));
    }
}

fn write_string(value: &str, text: &mut String) {
    text.push_str(&serde_json::Value::from(value).to_string());
}

fn canonical_number(text: &str) -> String {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let Ok(exponent) = exponent.parse::<i32>() else { return text.into() };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));

    let all_digits = format!("{whole}{fraction}");
    let digits = all_digits.trim_start_matches('0').trim_end_matches('0');
    if digits.is_empty() {
        return "0".into();
    }
    let trailing_zeros = all_digits.len() - all_digits.trim_end_matches('0').len();
    let exponent = i64::from(exponent) - fraction.len() as i64 + trailing_zeros as i64;
    match exponent {
        0 => format!("{sign}{digits}"),
        1..=20 => format!("{sign}{digits}{}", "0".repeat(exponent as usize)),
        -20..=-1 => {
            let places = exponent.unsigned_abs() as usize;
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            format!("{sign}{whole}.{fraction}")
        }
        _ => format!("{sign}{digits}e{exponent}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub fn json(text: &str) -> Json {
        Json::parse(&RawValue::from_string(text.into()).unwrap()).unwrap()
    }

    #[test]
    fn large_integers_keep_every_digit() {
        let text = r#"{"n":9007199254740993,"m":123456789012345678901234567890123}"#;
        assert_eq!(json(text).get("n"), Some(&Json::Number("9007199254740993".into())));
        assert_ne!(json("123456789012345678901234567890"), json("123456789012345678901234567891"));
    }

    #[test]
    fn one_number_has_one_form() {
        for (text, canonical) in [
            ("100", "100"),
            ("1e2", "100"),
            ("1.0E+2", "100"),
            ("-0.0", "0"),
            ("0.10", "0.1"),
            ("-12.50", "-12.5"),
            ("5e-3", "0.005"),
            ("1e99", "1e99"),
            ("10e98", "1e99"),
        ] {
            assert_eq!(canonical_number(text), canonical, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let parse = |text: String| Json::parse(&RawValue::from_string(text).unwrap());
        assert!(parse(deep(MAX_DEPTH)).is_ok());
        assert!(matches!(parse(deep(MAX_DEPTH + 2)), Err(JsonError::TooDeep)));
    }

    #[test]
    fn the_order_of_arrays_does_not_change_the_unordered_text() {
        let one = json(r#"{"a":[{"x":[1,2]},"b"]}"#);
        let other = json(r#"{"a":["b",{"x":[2,1]}]}"#);
        assert_eq!(one.to_unordered_text(), other.to_unordered_text());
        assert_ne!(one.to_text(), other.to_text());
    }

    proptest! {
        #[test]
        fn integers_and_text_survive_a_round_trip(number: i64, text: String) {
            let source = serde_json::json!({"n": number, "t": text, "l": [number, null, true]}).to_string();
            let again: serde_json::Value = serde_json::from_str(&json(&source).to_text()).unwrap();
            prop_assert_eq!(again, serde_json::from_str::<serde_json::Value>(&source).unwrap());
        }

        #[test]
        fn equal_floats_have_equal_forms(number in -1e12f64..1e12) {
            let canonical = canonical_number(&format!("{number:e}"));
            prop_assert_eq!(canonical.parse::<f64>().unwrap(), number);
            prop_assert_eq!(canonical_number(&canonical), canonical.clone());
        }
    }
}
