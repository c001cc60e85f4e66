//! The key that makes the badge of one stack readable without an account.

use scan::StateKey;

use crate::text::encode_for_path;

/// Returns the path of the badge with its key.
pub(super) fn path(key: &StateKey, name: &str) -> String {
    format!("/api/v1/stacks/{}/badge.svg?key={}", encode_for_path(name), key.hash(&parts(name)))
}

pub(super) fn is_key(key: &StateKey, name: &str, given: &str) -> bool {
    key.is_hash(&parts(name), given)
}

fn parts(name: &str) -> [&str; 2] {
    ["badge", name]
}
