//! The key that makes the badge of one stack readable without an account.

use scan::StateKey;

/// Returns the path of the badge with its key.
pub(super) fn path(key: &StateKey, name: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let mut path = String::from("/api/v1/stacks/");
    for byte in name.bytes() {
        if is_plain(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path + "/badge.svg?key=" + &key_of(key, name)
}

fn key_of(key: &StateKey, name: &str) -> String {
    key.hash(&["badge", name])[..32].into()
}

/// Compares in constant time, because the key is a secret.
pub(super) fn is_key(key: &StateKey, name: &str, given: &str) -> bool {
    let expected = key_of(key, name);
    expected.len() == given.len()
        && expected.bytes().zip(given.bytes()).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}
