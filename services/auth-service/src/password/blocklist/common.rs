use std::sync::LazyLock;

use super::file::Blocklist;

/// Common passwords of at least 8 characters, in lower case. `common.md` names their source and licence.
pub(super) static COMMON: LazyLock<Option<Blocklist>> =
    LazyLock::new(|| Blocklist::from_bytes(include_bytes!("common.filter")).ok());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_on_the_built_in_list_s35() {
        let common = COMMON.as_ref().expect("the list is intact");
        assert_eq!(common.len(), 8_359);
        for password in ["12345678", "password1", "iloveyou", "1q2w3e4r5t", "qwertyuiop"] {
            assert!(common.contains(password.as_bytes()), "{password}");
        }
        assert!(!common.contains(b"turnip-lattice-9-orbit"));
    }
}
