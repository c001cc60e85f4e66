//! Passwords that attackers know: a built-in list of common passwords, and a file that the operator builds from a dump.

mod build;
mod common;
mod file;
#[cfg(test)]
mod tests;

pub use build::build;
pub use file::Blocklist;

use common::COMMON;

use crate::password::Password;

/// Whether the password is on the built-in list, in any case, or on the list of the operator, as typed or after NFKC.
pub(super) fn is_breached(password: &Password, list: Option<&Blocklist>) -> bool {
    let lower_case = password.normalised.to_lowercase();
    COMMON.as_ref().is_some_and(|common| common.contains(lower_case.as_bytes()))
        || list.is_some_and(|list| list.has(password))
}
