//! The file with the operator's rules.

use contracts::drift::Severity;
use serde::Deserialize;

use super::class::Class;
use super::rule::Rule;
use super::short::ShortRule;
use super::written::{RulesError, WrittenRule, compile};

/// The rules file (TOML). Every key is optional.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RulesFile {
    /// The lowest severity that raises an alert.
    alert_threshold: Severity,
    /// Globs `address[.path]` of noise.
    ignore: Vec<String>,
    /// Globs `address[.path]` of values that change by themselves.
    volatile: Vec<String>,
    /// Attributes whose change is critical, at any depth.
    critical_paths: Vec<String>,
    /// Attributes whose change is information, at any depth.
    info_paths: Vec<String>,
    rule: Vec<WrittenRule>,
}

impl Default for RulesFile {
    fn default() -> Self {
        Self {
            alert_threshold: Severity::Critical,
            ignore: Vec::new(),
            volatile: Vec::new(),
            critical_paths: Vec::new(),
            info_paths: Vec::new(),
            rule: Vec::new(),
        }
    }
}

pub(super) fn parse(text: &str) -> Result<(Severity, Vec<Rule>), RulesError> {
    let file: RulesFile = toml::from_str(text)?;
    let mut rules = file.rule.into_iter().map(compile).collect::<Result<Vec<_>, _>>()?;
    for (class, patterns) in [(Class::Ignore, file.ignore), (Class::Volatile, file.volatile)] {
        for pattern in patterns {
            rules.push(ShortRule { class, pattern: &pattern, stack: None }.compile()?);
        }
    }
    for (class, names) in [(Class::Critical, file.critical_paths), (Class::Info, file.info_paths)] {
        for name in names {
            rules.push(name_rule(class, &name)?);
        }
    }
    Ok((file.alert_threshold, rules))
}

/// Creates a rule for an attribute name at any depth.
fn name_rule(class: Class, name: &str) -> Result<Rule, RulesError> {
    let rule = WrittenRule {
        class,
        address: None,
        module: None,
        resource_type: None,
        stack: None,
        path: Some(name.into()),
        from: None,
        to: None,
        kind: None,
    };
    let mut compiled = compile(rule)?;
    let anywhere = globset::GlobBuilder::new(&format!("{{{name},*.{name}}}")).build();
    let anywhere = anywhere.map_err(|source| RulesError::Glob { rule: name.into(), source })?;
    compiled.path = Some(anywhere.compile_matcher());
    Ok(compiled)
}
