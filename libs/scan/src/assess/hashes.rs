use contracts::drift::{Kind, Severity};

use super::compare::LeafRating;
use super::context::Context;
use crate::diff::ChangedPath;
use crate::finding::PathHash;

/// The hashes that identify a finding from one scan to the next.
pub(super) struct Hashes {
    pub decidable: Vec<PathHash>,
    pub actual: String,
    pub shown: String,
}

impl Hashes {
    pub(super) fn new(
        kind: Kind,
        changes: &[ChangedPath<LeafRating>],
        gone: Option<String>,
        severity: Severity,
        context: Context<'_>,
    ) -> Self {
        let (key, redactor) = (context.criteria.key, context.redactor);
        let is_open = |change: &&ChangedPath<LeafRating>| {
            context.is_planned || !change.rating.rating.class.is_covered()
        };
        let mut decidable = Vec::new();
        let mut shown: Vec<String> = Vec::new();
        for change in changes.iter().filter(is_open) {
            let hash = PathHash {
                path: redactor.path(&change.path),
                key: key.hash(&["path", &change.anchor])[..16].into(),
                value: key.hash(&["value", &change.anchor, &change.actual]),
            };
            shown.push(key.hash(&[
                "shown",
                &hash.value,
                &change.expected,
                change.rating.rating.class.into_str(),
            ]));
            decidable.push(hash);
        }
        decidable.sort_by(|one, other| (&one.key, &one.value).cmp(&(&other.key, &other.value)));
        shown.sort_unstable();
        let mut parts = vec!["actual", kind.into_str()];
        parts.extend(decidable.iter().map(|hash| hash.value.as_str()));
        parts.extend(gone.as_deref());
        let actual = key.hash(&parts);
        let mut parts = vec!["all", kind.into_str(), severity.into_str(), &actual];
        parts.extend(shown.iter().map(String::as_str));
        let shown = key.hash(&parts);
        Self { decidable, actual, shown }
    }
}
