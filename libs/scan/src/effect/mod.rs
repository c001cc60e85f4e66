//! The effect of a change: whether it widens access, grants a right, or removes a protection.
//!
//! Each module recognises one kind of effect and its direction. A change with no recognised effect has no
//! direction.

mod access;
mod grants;
mod iam_policy;
mod protection;
mod ranges;
mod switch;

use crate::diff::{How, Leaf};
use crate::words::words;

/// The direction of a change, with a short description of the effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// More can be reached, more is allowed, or less is protected.
    Widens(&'static str),
    Narrows(&'static str),
}

impl Effect {
    fn flipped(self) -> Self {
        match self {
            Self::Widens(_) => Self::Narrows("more is denied"),
            Self::Narrows(_) => Self::Widens("less is denied"),
        }
    }
}

/// The names around a change, split into words.
struct Names {
    /// The words of the attribute's own name.
    attribute: Vec<String>,
    /// The words of each key of the path, outermost first.
    path: Vec<Vec<String>>,
    resource_type: Vec<String>,
}

impl Names {
    fn new(leaf: &Leaf<'_>) -> Self {
        let keys: Vec<&str> = leaf.node.upwards().filter_map(|node| node.key()).collect();
        Self {
            attribute: words(leaf.node.name()),
            path: keys.into_iter().rev().map(words).collect(),
            resource_type: words(leaf.resource_type),
        }
    }

    fn attribute_has(&self, any: &[&str]) -> bool {
        has(&self.attribute, any)
    }

    fn path_has(&self, any: &[&str]) -> bool {
        self.path.iter().any(|key| has(key, any))
    }

    fn type_has(&self, any: &[&str]) -> bool {
        has(&self.resource_type, any)
    }

    /// Returns the attribute's name in snake case.
    fn attribute_name(&self) -> String {
        self.attribute.join("_")
    }
}

fn has(words: &[String], any: &[&str]) -> bool {
    words.iter().any(|word| any.contains(&word.as_str()))
}

/// Returns the effect of a change, if it is recognised.
pub(crate) fn of(leaf: &Leaf<'_>) -> Option<Effect> {
    if leaf.how == How::Reordered {
        return None;
    }
    if iam_policy::is_inside(leaf) {
        return Some(iam_policy::effect(leaf));
    }
    let names = Names::new(leaf);
    protection::effect(leaf, &names)
        .or_else(|| switch::effect(leaf, &names))
        .or_else(|| access::effect(leaf, &names))
        .or_else(|| grants::effect(leaf, &names))
}

#[cfg(test)]
mod tests;
