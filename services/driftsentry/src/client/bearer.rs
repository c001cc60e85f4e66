use anyhow::Result;
use reqwest::header::HeaderValue;

/// Returns the value of the header `Authorization` of a token.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))?;
    header.set_sensitive(true);
    Ok(header)
}
