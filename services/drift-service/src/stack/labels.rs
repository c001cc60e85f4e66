//! The labels of a stack: pairs of a key and a value.

use std::collections::BTreeMap;

use http::ApiError;
use validator::ValidationError;

const MAX_LABELS: usize = 20;
const MAX_LABEL_CHARS: usize = 63;

fn is_label_part(part: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "._/-".contains(letter);
    (1..=MAX_LABEL_CHARS).contains(&part.len()) && part.chars().all(is_letter)
}

/// Refuses too many labels, and other characters than labels may have.
pub(super) fn are_labels(labels: &BTreeMap<String, String>) -> Result<(), ValidationError> {
    if labels.len() <= MAX_LABELS
        && labels.iter().flat_map(|(key, value)| [key, value]).all(|part| is_label_part(part))
    {
        return Ok(());
    }
    let message = "must be at most 20 pairs of 1 to 63 letters, digits, '.', '_', '/' or '-'";
    Err(ValidationError::new("labels").with_message(message.into()))
}

/// Returns a label `key=value` in the form in which the column contains it.
pub(super) fn label_pair(label: &str) -> Result<String, ApiError> {
    match label.split_once('=') {
        Some((key, value)) if is_label_part(key) && is_label_part(value) => {
            Ok(format!(r#""{key}":"{value}""#))
        }
        _ => Err(ApiError::validation("label", "must be key=value")),
    }
}
