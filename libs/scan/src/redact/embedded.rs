//! Secrets inside JSON text.

use crate::json::Json;

/// Returns the text with its secrets hidden if it contains a JSON object or array, or else `None`.
/// A text without secrets is returned unchanged. `redacted` hides the secrets of a value.
pub(super) fn hide(text: &str, redacted: impl FnOnce(Json) -> Json) -> Option<String> {
    let trimmed = text.trim_ascii();
    if !matches!(trimmed.as_bytes().first(), Some(b'{' | b'[')) {
        return None;
    }
    let value = Json::parse_text(trimmed).ok().filter(|value| !value.is_scalar())?;
    let shown = redacted(value.clone());
    Some(if shown == value { text.to_owned() } else { shown.to_text() })
}
