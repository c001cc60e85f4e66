//! The file with the operator's rules.

use contracts::drift::{Kind, Severity};
use serde::Deserialize;

use super::class::Class;
use super::glob::{Address, glob};
use super::rule::Rule;

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

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    class: Class,
    address: Option<String>,
    module: Option<String>,
    #[serde(rename = "type")]
    resource_type: Option<String>,
    stack: Option<String>,
    path: Option<String>,
    /// The expected value.
    from: Option<toml::Value>,
    /// The actual value.
    to: Option<toml::Value>,
    kind: Option<WrittenKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenKind {
    Changed,
    Missing,
    Unmanaged,
}

/// The reason why a rules file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error("cannot read the rules file")]
    Read(#[from] std::io::Error),
    #[error("the rules file is not as expected: {0}")]
    Parse(#[from] toml::de::Error),
    #[error("the rule {rule:?} is not a glob: {source}")]
    Glob { rule: String, source: globset::Error },
    #[error("a rule with the class {class:?} names nothing: give it an address, module, type, stack or path")]
    Empty { class: &'static str },
}

pub(super) fn parse(text: &str) -> Result<(Severity, Vec<Rule>), RulesError> {
    let file: RulesFile = toml::from_str(text)?;
    let mut rules = file.rule.into_iter().map(compile).collect::<Result<Vec<_>, _>>()?;
    for (class, patterns) in [(Class::Ignore, file.ignore), (Class::Volatile, file.volatile)] {
        for pattern in patterns {
            rules.push(address_rule(class, &pattern)?);
        }
    }
    for (class, names) in [(Class::Critical, file.critical_paths), (Class::Info, file.info_paths)] {
        for name in names {
            rules.push(name_rule(class, &name)?);
        }
    }
    Ok((file.alert_threshold, rules))
}

fn compile(written: WrittenRule) -> Result<Rule, RulesError> {
    let text = |value: Option<toml::Value>| {
        value.map(|value| match value {
            toml::Value::String(text) => text,
            other => other.to_string(),
        })
    };
    let (from, to) = (text(written.from), text(written.to));
    let kind = written.kind.map(|kind| match kind {
        WrittenKind::Changed => Kind::Changed,
        WrittenKind::Missing => Kind::Missing,
        WrittenKind::Unmanaged => Kind::Unmanaged,
    });
    let named = [
        ("address", &written.address),
        ("module", &written.module),
        ("type", &written.resource_type),
        ("stack", &written.stack),
        ("path", &written.path),
        ("from", &from),
        ("to", &to),
    ];
    let mut words: Vec<String> =
        named.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?))).collect();
    words.extend(kind.map(|kind| format!("kind={}", kind.into_str())));
    if words.is_empty() {
        return Err(RulesError::Empty { class: written.class.into_str() });
    }
    let compiled = |pattern: &Option<String>| {
        let compiled =
            pattern.as_ref().map(|pattern| glob(pattern).map_err(|source| (pattern.clone(), source)));
        compiled.transpose().map_err(|(rule, source)| RulesError::Glob { rule, source })
    };
    Ok(Rule {
        class: written.class,
        text: format!("{}: {}", written.class.into_str(), words.join(" ")),
        address: compiled(&written.address)?,
        module: compiled(&written.module)?,
        resource_type: compiled(&written.resource_type)?,
        stack: compiled(&written.stack)?,
        path: compiled(&written.path)?,
        from: compiled(&from)?,
        to: compiled(&to)?,
        kind,
    })
}

/// Creates a rule from `address[.path]`.
fn address_rule(class: Class, pattern: &str) -> Result<Rule, RulesError> {
    let path = Address::split(pattern).path;
    let rule = WrittenRule {
        class,
        address: Some(Address::of_resource(pattern, path).into()),
        module: None,
        resource_type: None,
        stack: None,
        path: path.map(Into::into),
        from: None,
        to: None,
        kind: None,
    };
    Ok(Rule { text: format!("{}: {pattern}", class.into_str()), ..compile(rule)? })
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
