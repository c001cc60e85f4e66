//! How bad a drift is, whether it is noise, and whether it raises an alert. Configurable by a file.

mod ignore;
mod severity;

use std::path::Path;

use serde::Deserialize;

pub use ignore::IgnoreRule;
pub use severity::Severity;

use crate::drift::Kind;
use crate::scan::diff::{Change, Step};

/// The rules file (TOML). Every key is optional.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RulesFile {
    /// The least severity that raises an alert.
    alert_threshold: Severity,
    /// Names that make a changed path critical, matched at the start of a word of a path.
    critical_paths: Vec<String>,
    /// Attributes that make a drift mere information if nothing else changed.
    info_paths: Vec<String>,
    /// Globs `address[.path]` of what is noise.
    ignore: Vec<String>,
}

impl Default for RulesFile {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
        Self {
            alert_threshold: Severity::Critical,
            critical_paths: names(&[
                "publicly_accessible",
                "ingress",
                "cidr",
                "acl",
                "policy",
                "iam",
                "encrypt",
                "kms",
                "password",
                "secret",
                "user_data",
            ]),
            info_paths: names(&["tags", "tags_all", "labels"]),
            ignore: Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Rules {
    pub alert_threshold: Severity,
    critical_paths: Vec<String>,
    info_paths: Vec<String>,
    ignore: Vec<IgnoreRule>,
}

#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error("cannot read the rules file")]
    Read(#[from] std::io::Error),
    #[error("the rules file is not as expected: {0}")]
    Parse(#[from] toml::de::Error),
    #[error("the ignore rule {rule:?} is not a glob: {source}")]
    Glob { rule: String, source: globset::Error },
}

/// What the rules look at.
pub struct Subject<'a> {
    pub address: &'a str,
    pub kind: Kind,
    pub changes: &'a [Change],
    /// Only computed attributes differ: a plan would change nothing.
    pub is_state_only: bool,
}

impl Rules {
    pub fn read(file: &Path) -> Result<Self, RulesError> {
        Self::parse(&std::fs::read_to_string(file)?)
    }

    pub fn parse(text: &str) -> Result<Self, RulesError> {
        Self::compile(toml::from_str(text)?)
    }

    fn compile(file: RulesFile) -> Result<Self, RulesError> {
        let ignore = file
            .ignore
            .into_iter()
            .map(|rule| IgnoreRule::parse(&rule).map_err(|source| RulesError::Glob { rule, source }))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            alert_threshold: file.alert_threshold,
            critical_paths: file.critical_paths.iter().map(|name| words_of(name)).collect(),
            info_paths: file.info_paths,
            ignore,
        })
    }

    /// The first rule that fits decides.
    pub fn severity(&self, subject: &Subject<'_>) -> Severity {
        if subject.kind == Kind::Missing || subject.changes.iter().any(|change| self.is_critical(change)) {
            Severity::Critical
        } else if subject.is_state_only || self.is_info_only(subject.changes) {
            Severity::Info
        } else {
            Severity::Warning
        }
    }

    /// A resource that is gone is noise only if a rule names the whole resource.
    pub fn ignores(&self, subject: &Subject<'_>) -> bool {
        let covers_resource = self.ignore.iter().any(|rule| rule.covers_resource(subject.address));
        let covers_every_path = || {
            subject.kind == Kind::Changed
                && !subject.changes.is_empty()
                && subject.changes.iter().all(|change| {
                    self.ignore.iter().any(|rule| rule.covers_path(subject.address, &change.path))
                })
        };
        covers_resource || covers_every_path()
    }

    fn is_critical(&self, change: &Change) -> bool {
        change.sensitive
            || change.path.iter().any(|step| match step {
                Step::Key(key) => {
                    let words = words_of(key);
                    self.critical_paths.iter().any(|name| words.contains(name.as_str()))
                }
                Step::Index(_) => false,
            })
    }

    fn is_info_only(&self, changes: &[Change]) -> bool {
        let is_info = |change: &Change| matches!(change.path.first(), Some(Step::Key(key)) if self.info_paths.iter().any(|name| name == key));
        !changes.is_empty() && changes.iter().all(is_info)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::compile(RulesFile::default()).unwrap_or_else(|_| unreachable!("the defaults hold no glob"))
    }
}

/// `ingressCidr`, `ingress-cidr` and `ingress_cidr` are all `_ingress_cidr`: a name found in it begins
/// at the start of a word, so that `acl` is not found in `oracle`.
fn words_of(key: &str) -> String {
    let mut words = String::from("_");
    let mut after_lowercase = false;
    for letter in key.chars() {
        if letter.is_uppercase() && after_lowercase {
            words.push('_');
        }
        after_lowercase = letter.is_lowercase() || letter.is_numeric();
        if letter.is_alphanumeric() {
            words.extend(letter.to_lowercase());
        } else if !words.ends_with('_') {
            words.push('_');
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(paths: &[&[&str]]) -> Vec<Change> {
        let step = |key: &&str| Step::Key((*key).into());
        paths.iter().map(|path| Change { path: path.iter().map(step).collect(), sensitive: false }).collect()
    }

    fn severity(kind: Kind, paths: &[&[&str]], is_state_only: bool) -> Severity {
        let changes = changes(paths);
        Rules::default().severity(&Subject { address: "a.b", kind, changes: &changes, is_state_only })
    }

    #[test]
    fn the_first_rule_that_fits_decides_the_severity() {
        use Kind::{Changed, Missing};
        assert_eq!(severity(Missing, &[], false), Severity::Critical);
        for name in [
            "publicly_accessible",
            "ingress_cidrs",
            "ipv6CidrBlock",
            "acl",
            "assume_role_policy",
            "sse-kms-key",
        ] {
            assert_eq!(
                severity(Changed, &[&["size"], &["block", name]], false),
                Severity::Critical,
                "{name}"
            );
        }
        assert_eq!(severity(Changed, &[&["tags", "owner"], &["labels"]], false), Severity::Info);
        assert_eq!(severity(Changed, &[&["tags", "owner"], &["size"]], false), Severity::Warning);
        assert_eq!(severity(Changed, &[&["size"]], true), Severity::Info);
        assert_eq!(severity(Changed, &[&["acl"]], true), Severity::Critical);
        for name in ["oracle_version", "diameter", "placement"] {
            assert_eq!(severity(Changed, &[&[name]], false), Severity::Warning, "{name}");
        }
    }

    #[test]
    fn a_sensitive_change_is_critical() {
        let changes = [Change { path: vec![Step::Key("x".into())], sensitive: true }];
        let subject = Subject { address: "a.b", kind: Kind::Changed, changes: &changes, is_state_only: true };
        assert_eq!(Rules::default().severity(&subject), Severity::Critical);
    }

    #[test]
    fn a_drift_is_ignored_only_if_every_changed_path_is() {
        let rules = Rules::parse(r#"ignore = ["aws_instance.*.tags", "aws_instance.*.ami"]"#).unwrap();
        let ignores = |kind, paths: &[&[&str]]| {
            let changes = changes(paths);
            rules.ignores(&Subject {
                address: "aws_instance.web",
                kind,
                changes: &changes,
                is_state_only: false,
            })
        };
        assert!(ignores(Kind::Changed, &[&["tags", "a"], &["ami"]]));
        assert!(!ignores(Kind::Changed, &[&["tags", "a"], &["size"]]));
        assert!(!ignores(Kind::Missing, &[]));
        assert!(!ignores(Kind::Changed, &[]));
    }

    #[test]
    fn a_rule_for_the_whole_resource_silences_its_absence_too() {
        let rules = Rules::parse(r#"ignore = ["aws_instance.web*"]"#).unwrap();
        let subject = Subject {
            address: "aws_instance.web[0]",
            kind: Kind::Missing,
            changes: &[],
            is_state_only: false,
        };
        assert!(rules.ignores(&subject));
    }

    #[test]
    fn the_example_file_tells_the_defaults() {
        let example: RulesFile = toml::from_str(include_str!("../../rules.example.toml")).unwrap();
        assert_eq!(example, RulesFile::default());
    }

    #[test]
    fn an_unknown_key_in_the_rules_file_is_refused() {
        assert!(matches!(Rules::parse("ignored = []"), Err(RulesError::Parse(_))));
    }
}
