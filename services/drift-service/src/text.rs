use validator::ValidationError;

/// The only character that Postgres cannot store.
pub(crate) const NUL: char = '\0';

/// Refuses texts that Postgres cannot store. For `#[validate(custom(…))]`.
pub(crate) fn storable(text: &str) -> Result<(), ValidationError> {
    if text.contains(NUL) {
        return Err(ValidationError::new("nul").with_message("must not contain U+0000".into()));
    }
    Ok(())
}
