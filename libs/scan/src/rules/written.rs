//! A rule with conditions, as an operator writes it.

use contracts::drift::Kind;
use serde::Deserialize;

use super::class::Class;
use super::glob::glob;
use super::rule::Rule;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    pub class: Class,
    pub address: Option<String>,
    pub module: Option<String>,
    #[serde(rename = "type")]
    pub resource_type: Option<String>,
    pub stack: Option<String>,
    pub path: Option<String>,
    /// The expected value.
    pub from: Option<toml::Value>,
    /// The actual value.
    pub to: Option<toml::Value>,
    pub kind: Option<WrittenKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WrittenKind {
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

pub(super) fn compile(written: WrittenRule) -> Result<Rule, RulesError> {
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
