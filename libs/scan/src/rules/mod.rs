//! Rules that classify changes as noise, information or urgent. Rules of a file take precedence over the
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

/// The rules of the service.
#[derive(Clone, Debug)]
pub struct Rules {
    pub alert_threshold: Severity,
    rules: Vec<Rule>,
}

impl Rules {
    /// # Errors
    /// If the file cannot be read or is invalid.
    pub fn read(file: &Path) -> Result<Self, RulesError> {
        Self::parse(&std::fs::read_to_string(file)?)
    }

    /// # Errors
    /// If the text is not a valid rules file.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let (alert_threshold, rules) = file::parse(text)?;
        Ok(Self { alert_threshold, rules })
    }

    /// Returns the rules of the file in order. [`Rating::rule`] is an index into them.
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
