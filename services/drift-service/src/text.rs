use validator::ValidationError;

/// Postgres stores every character but this one.
pub const NUL: char = '\0';

/// For `#[validate(custom(…))]`.
pub fn storable(text: &str) -> Result<(), ValidationError> {
    if text.contains(NUL) {
        return Err(ValidationError::new("nul").with_message("must not contain U+0000".into()));
    }
    Ok(())
}
