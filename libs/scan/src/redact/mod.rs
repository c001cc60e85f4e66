//! The one filter through which everything passes that is stored or shown.
//!
//! Its layers, of which each finds what the others cannot: [`Layer`]. Terraform's marks alone leak: copies
//! of a marked value are not marked, and marks on list elements shift.

mod appearance;
mod assignments;
mod copies;
mod embedded;
mod filter;
mod name_words;
mod names;
mod pairs;
mod secrets;
mod types;
mod yaml;

pub use filter::{Layer, Layers, Redactor};
pub use names::is_secret_name;
pub use secrets::{Secrets, SecretsCollector, TooManySecrets};

/// Stands where a secret was.
pub const HIDDEN: &str = "(sensitive value)";

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
