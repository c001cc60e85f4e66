use serde_json::value::RawValue;

use crate::json::{Json, JsonError};
use crate::limits::MAX_STATE_BYTES;

/// Reads a state within its bounds. `null` means that there is no state.
///
/// # Errors
/// If the state is too large or nests too deep.
pub(super) fn read_state(raw: Option<&RawValue>) -> Result<Option<Json>, StateError> {
    let Some(raw) = raw else { return Ok(None) };
    if raw.get().len() > MAX_STATE_BYTES {
        return Err(StateError::TooLarge);
    }
    match Json::parse(raw)? {
        Json::Null => Ok(None),
        state => Ok(Some(state)),
    }
}

/// The reason why a state cannot be accepted.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("its state is larger than {} KiB", MAX_STATE_BYTES / 1024)]
    TooLarge,
    #[error("its state cannot be read: {0}")]
    Json(#[from] JsonError),
    #[error("it differs in too many paths")]
    TooManyChanges,
    #[error("it takes too long to compare")]
    TooSlow,
}

impl StateError {
    /// Returns the reason to show in a report.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge => "its state is too large (over 0.25 MiB)",
            Self::TooManyChanges => "it differs in too many paths",
            Self::TooSlow => "it takes too long to compare",
            Self::Json(JsonError::TooDeep) => "its state nests too deep",
            Self::Json(JsonError::Invalid) => "its state is not valid JSON",
        }
    }
}
