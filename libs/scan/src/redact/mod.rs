//! The filter that everything passes before it is stored or shown.
//!
//! Its layers are listed in `layers.rs`; each finds secrets that the others miss. Terraform's marks alone are
//! not enough: copies of a marked value are not marked, and marks on list elements shift.

mod appearance;
mod assignments;
mod copies;
mod cover;
mod embedded;
mod hidden;
mod layers;
mod name_words;
mod names;
mod pairs;
mod redactor;
mod secrets;
mod types;
mod yaml;

pub use hidden::HIDDEN;
pub use redactor::Redactor;
pub use secrets::{Secrets, SecretsCollector, TooManySecrets};

/// Compiles the patterns of the filter. Without this call, the first upload waits for the compilation.
pub fn compile_patterns() {
    appearance::compile();
    assignments::compile();
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod tests;
