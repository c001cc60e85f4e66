//! Which changes are noise, which are information, and which are urgent. A file adds rules before the
//! built-in ones.

mod builtin;
mod class;
mod file;
mod glob;
mod rated;
mod rule;

pub use class::Class;
pub use file::RulesError;
pub use rated::{Rated, Rating, Subject};
pub use rule::Rule;

use std::path::Path;

use crate::severity::Severity;

/// The rules of this service.
#[derive(Clone, Debug)]
pub struct Rules {
    pub alert_threshold: Severity,
    rules: Vec<Rule>,
}

impl Rules {
    /// # Errors
    /// If the file cannot be read or is not as expected.
    pub fn read(file: &Path) -> Result<Self, RulesError> {
        Self::parse(&std::fs::read_to_string(file)?)
    }

    /// # Errors
    /// If the text is not a rules file.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let (alert_threshold, rules) = file::parse(text)?;
        Ok(Self { alert_threshold, rules })
    }

    /// The rules of the file, in their order. [`Rating::rule`] is a place in it.
    pub fn listed(&self) -> &[Rule] {
        &self.rules
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { alert_threshold: Severity::Critical, rules: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
