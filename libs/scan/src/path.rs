//! Paths into a state, in the one form that the diff, rules and decisions use.

use serde::{Deserialize, Serialize};

/// One step of a path. Paths are stored as JSON arrays, because keys may contain dots, slashes and quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    Index(usize),
    Key(String),
}

impl Step {
    /// Returns the key; `None` for an index.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Index(_) => None,
        }
    }
}

/// Returns the path as `a.0.b`.
pub fn dotted(path: &[Step]) -> String {
    join(path.iter().map(|step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    }))
}

/// Returns the path without list indexes, as `a.b`: the index of an element of a set may change.
pub fn dotted_keys(path: &[Step]) -> String {
    join(path.iter().filter_map(Step::key).map(Into::into))
}

fn join(steps: impl Iterator<Item = String>) -> String {
    steps.collect::<Vec<_>>().join(".")
}
