use http::ApiError;

use crate::error::DriftError;
use crate::text::NUL;

const MAX_NAME_CHARS: usize = 256;

/// Returns a name from a path. A stack cannot have any other name.
pub(super) fn checked_name(name: String) -> Result<String, ApiError> {
    if name.chars().count() > MAX_NAME_CHARS || name.contains(NUL) {
        return Err(DriftError::NotFound("stack").into());
    }
    Ok(name)
}
