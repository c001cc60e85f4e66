//! The pages of lists: opaque cursors, and the size of a page.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ApiError;

/// The number of entries of a page if the caller sends no `limit`.
pub const fn default_limit() -> u64 {
    20
}

/// Encodes a position in a list as text that a client can send back.
pub fn encode(position: &impl Serialize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

/// Decodes a cursor that [`encode`] wrote.
///
/// # Errors
/// 400 that names `cursor`, if the text is not such a cursor.
pub fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, ApiError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    let position = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    position.ok_or_else(|| ApiError::validation("cursor", "is not a cursor of this list"))
}
