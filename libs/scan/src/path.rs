//! Paths into a state: one form for the diff, for rules and for decisions.

use serde::{Deserialize, Serialize};

/// One step of a path. A path is written as a JSON array, since keys may hold dots, slashes and quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    Index(usize),
    Key(String),
}

impl Step {
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Index(_) => None,
        }
    }
}

/// The last key of a path: the name of the attribute that an element belongs to.
pub fn last_key(path: &[Step]) -> Option<&str> {
    path.iter().rev().find_map(Step::key)
}

/// The path as `a.0.b`.
pub fn dotted(path: &[Step]) -> String {
    join(path.iter().map(|step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    }))
}

/// The path without the places of elements, as `a.b`: elements of sets have no lasting place.
pub fn dotted_keys(path: &[Step]) -> String {
    join(path.iter().filter_map(Step::key).map(Into::into))
}

fn join(steps: impl Iterator<Item = String>) -> String {
    steps.collect::<Vec<_>>().join(".")
}
