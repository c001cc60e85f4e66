use std::path::Path;

use contracts::drift::{Kind, Severity};

use super::builtin;
use super::class::Class;
use super::file;
use super::rule::Rule;
use super::short::ShortRule;
use super::subject::Subject;
use super::written::RulesError;
use crate::diff::Leaf;
use crate::effect::{self, Effect};
use crate::path::Step;

/// The rules of the service.
#[derive(Clone, Debug)]
pub struct Rules {
    pub alert_threshold: Severity,
    rules: Vec<Rule>,
}

impl Rules {
    /// Reads the rules file (TOML).
    ///
    /// # Errors
    /// If the file cannot be read or is invalid.
    pub fn read(file: &Path) -> Result<Self, RulesError> {
        Self::parse(&std::fs::read_to_string(file)?)
    }

    /// Parses the text of a rules file (TOML).
    ///
    /// # Errors
    /// If the text is not a valid rules file.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let (alert_threshold, rules) = file::parse(text)?;
        Ok(Self { alert_threshold, rules })
    }

    /// Returns these rules below others, which are tried first. `alert_threshold` replaces the one of these rules.
    ///
    /// # Errors
    /// If a pattern is not a glob.
    pub fn below(
        &self,
        others: &[ShortRule<'_>],
        alert_threshold: Option<Severity>,
    ) -> Result<Self, RulesError> {
        let mut rules = others.iter().map(ShortRule::compile).collect::<Result<Vec<_>, _>>()?;
        rules.extend(self.rules.iter().cloned());
        Ok(Self { alert_threshold: alert_threshold.unwrap_or(self.alert_threshold), rules })
    }

    /// Returns the rules in the order in which they are tried, without the built-in ones. [`Rated::Rule`] holds an index
    /// into them.
    pub fn listed(&self) -> &[Rule] {
        &self.rules
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { alert_threshold: Severity::Critical, rules: Vec::new() }
    }
}

/// The origin of a rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rated {
    /// A rule that is not built in, by its index in [`Rules::listed`].
    Rule(usize),
    Builtin,
    Effect,
    /// No rule recognises the change.
    Default,
}

/// The class of a change, and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    pub class: Class,
    pub by: Rated,
    /// A short reason for people. It does not repeat the text of the rule.
    pub reason: Option<&'static str>,
}

impl Rules {
    /// Rates one change. The first matching rule decides.
    pub fn rate(&self, subject: &Subject<'_>, leaf: &Leaf<'_>) -> Rating {
        let path = leaf.node.path();
        if let Some(rating) = self.by_rule(subject, &path, Some(leaf)) {
            return rating;
        }
        if let Some((class, reason)) = builtin::class_of(subject.resource_type, &path, Some(leaf)) {
            return Rating { class, by: Rated::Builtin, reason: Some(reason) };
        }
        match effect::of(leaf) {
            Some(Effect::Widens(reason)) => {
                Rating { class: Class::Critical, by: Rated::Effect, reason: Some(reason) }
            }
            Some(Effect::Narrows(reason)) => {
                Rating { class: Class::Warning, by: Rated::Effect, reason: Some(reason) }
            }
            None => Rating { class: builtin::unknown(leaf.how), by: Rated::Default, reason: None },
        }
    }

    /// Rates a resource that is missing or unmanaged, which has no changes.
    pub fn rate_whole(&self, subject: &Subject<'_>) -> Rating {
        let by_rule = self.rules.iter().position(|rule| rule.covers_resource(subject));
        if let Some(rule) = by_rule {
            return Rating { class: self.rules[rule].class, by: Rated::Rule(rule), reason: None };
        }
        let (class, reason) = match subject.kind {
            Kind::Missing => (Class::Critical, Some("the resource no longer exists")),
            Kind::Unmanaged => (Class::Warning, Some("nothing declares the resource")),
            Kind::Changed => (Class::Warning, None),
        };
        Rating { class, by: Rated::Default, reason }
    }

    /// Whether rules exclude a path from decisions, for a path that does not differ at present.
    pub fn covers(&self, subject: &Subject<'_>, path: &[Step]) -> bool {
        self.rate_path(subject, path).is_some_and(|rating| rating.class.is_covered())
    }

    /// Rates a path whose values are unknown, by the rules that do not depend on values.
    pub fn rate_path(&self, subject: &Subject<'_>, path: &[Step]) -> Option<Rating> {
        self.by_rule(subject, path, None).or_else(|| {
            let (class, reason) = builtin::class_of(subject.resource_type, path, None)?;
            Some(Rating { class, by: Rated::Builtin, reason: Some(reason) })
        })
    }

    fn by_rule(&self, subject: &Subject<'_>, path: &[Step], leaf: Option<&Leaf<'_>>) -> Option<Rating> {
        let rule = self.rules.iter().position(|rule| rule.covers_change(subject, path, leaf))?;
        Some(Rating { class: self.rules[rule].class, by: Rated::Rule(rule), reason: None })
    }
}
