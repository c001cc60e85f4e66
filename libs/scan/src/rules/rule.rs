use contracts::drift::Kind;
use globset::GlobMatcher;

use super::class::Class;
use super::glob::Address;
use super::subject::Subject;
use crate::diff::Leaf;
use crate::json::Json;
use crate::path::{Step, dotted, dotted_keys};

/// One rule. All of its conditions must match.
#[derive(Clone, Debug)]
pub struct Rule {
    pub class: Class,
    /// The text of the rule in the file.
    pub text: String,
    pub(super) address: Option<GlobMatcher>,
    pub(super) module: Option<GlobMatcher>,
    pub(super) resource_type: Option<GlobMatcher>,
    pub(super) stack: Option<GlobMatcher>,
    pub(super) path: Option<GlobMatcher>,
    pub(super) from: Option<GlobMatcher>,
    pub(super) to: Option<GlobMatcher>,
    pub(super) kind: Option<Kind>,
}

impl Rule {
    /// Whether the rule is about the resource as a whole, regardless of its changes.
    pub(super) fn covers_resource(&self, subject: &Subject<'_>) -> bool {
        let names_values = self.path.is_some() || self.from.is_some() || self.to.is_some();
        !names_values && self.is_about(subject)
    }

    pub(super) fn covers_change(
        &self,
        subject: &Subject<'_>,
        path: &[Step],
        leaf: Option<&Leaf<'_>>,
    ) -> bool {
        self.is_about(subject)
            && self.path.as_ref().is_none_or(|pattern| covers_path(pattern, path))
            && match leaf {
                Some(leaf) => {
                    fits(self.from.as_ref(), leaf.expected()) && fits(self.to.as_ref(), leaf.actual())
                }
                None => self.from.is_none() && self.to.is_none(),
            }
    }

    fn is_about(&self, subject: &Subject<'_>) -> bool {
        let address = Address::split(subject.address);
        let fits =
            |glob: &Option<GlobMatcher>, text: &str| glob.as_ref().is_none_or(|glob| glob.is_match(text));
        let spellings = [subject.address, address.resource, address.without_index];
        self.kind.is_none_or(|kind| kind == subject.kind)
            && self
                .address
                .as_ref()
                .is_none_or(|glob| spellings.iter().any(|spelling| glob.is_match(spelling)))
            && self.module.as_ref().is_none_or(|glob| address.modules().any(|module| glob.is_match(module)))
            && fits(&self.resource_type, subject.resource_type)
            && fits(&self.stack, subject.stack)
    }
}

/// Whether a pattern covers a path. It covers everything below its match; list indexes are optional.
fn covers_path(pattern: &GlobMatcher, path: &[Step]) -> bool {
    (1..=path.len()).any(|length| {
        let path = &path[..length];
        pattern.is_match(dotted(path)) || pattern.is_match(dotted_keys(path))
    })
}

fn fits(pattern: Option<&GlobMatcher>, value: &Json) -> bool {
    let Some(pattern) = pattern else { return true };
    match value {
        Json::String(text) => pattern.is_match(text),
        other => pattern.is_match(other.to_text()),
    }
}
