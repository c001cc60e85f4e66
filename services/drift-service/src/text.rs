use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use validator::ValidationError;

/// All characters except those that are never encoded (RFC 3986).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The only character that Postgres cannot store.
pub(crate) const NUL: char = '\0';

/// Refuses texts that Postgres cannot store. For `#[validate(custom(…))]`.
pub(crate) fn storable(text: &str) -> Result<(), ValidationError> {
    if text.contains(NUL) {
        return Err(ValidationError::new("nul").with_message("must not contain U+0000".into()));
    }
    Ok(())
}

/// Encodes a text as one segment of a path.
pub(crate) fn encode_for_path(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}
