//! The key of a group of drifts with one cause.

/// A cause as one text, which the filter `group` accepts.
pub(super) fn group_key(resource_type: &str, actual_hash: &str) -> String {
    format!("{actual_hash}.{resource_type}")
}

/// Returns the type and the hash of a cause; `None` if the text is not a cause.
pub(super) fn parse_group_key(key: &str) -> Option<(&str, &str)> {
    let (actual_hash, resource_type) = key.split_once('.')?;
    Some((resource_type, actual_hash))
}
