//! Statements of IAM policies: the rights that they grant, and the direction of a change in them.

use super::Effect;
use crate::diff::{Leaf, Node};
use crate::json::Json;

const MORE: Effect = Effect::Widens("a policy allows more");
const LESS: Effect = Effect::Narrows("a policy allows less");

/// Whether a change is inside a statement of a policy.
pub(super) fn is_inside(leaf: &Leaf<'_>) -> bool {
    statement(leaf).is_some()
}

pub(super) fn effect(leaf: &Leaf<'_>) -> Effect {
    let Some((statement, part)) = statement(leaf) else { return MORE };
    let effect_of = |value: &Json| value.get("Effect").and_then(Json::as_str).map(str::to_ascii_lowercase);
    let (was, is) = (effect_of(statement.expected.value), effect_of(statement.actual.value));
    let allows = is.clone().or(was.clone()).as_deref() != Some("deny");
    let directed = |grants_more: bool| if grants_more == allows { MORE } else { LESS };
    if statement.expected.value.is_empty() {
        return directed(true);
    }
    if statement.actual.value.is_empty() {
        return directed(false);
    }
    match part.as_deref() {
        Some("Effect") => {
            if is.as_deref() == Some("allow") {
                MORE
            } else {
                LESS
            }
        }
        Some("Sid") => LESS,
        Some("Condition") => {
            let is_new = leaf.node.upwards().any(|node| {
                node.key().is_some_and(|key| key != "Condition") && node.expected.value.is_empty()
            });
            // A new condition restricts. A condition that was removed or has other values may allow more.
            directed(!is_new)
        }
        Some(part) => {
            let grants_more = grants_more(leaf);
            directed(if part.starts_with("Not") { !grants_more } else { grants_more })
        }
        None => MORE,
    }
}

/// Returns the statement that a change is in, and the name of its part.
fn statement<'a>(leaf: &Leaf<'a>) -> Option<(Node<'a>, Option<String>)> {
    let mut part = None;
    for node in leaf.node.upwards() {
        if node.key().is_none() && node.parent().and_then(|parent| parent.key()) == Some("Statement") {
            return Some((node, part));
        }
        if let Some(key) = node.key() {
            part = Some(key.into());
        }
    }
    None
}

/// Whether a list names something that it did not cover before.
fn grants_more(leaf: &Leaf<'_>) -> bool {
    let list = leaf.node.parent().filter(|_| leaf.node.key().is_none());
    let covered = list.map_or(leaf.expected(), |list| list.expected.value);
    let covers = |pattern: &Json, text: &str| pattern.as_str().is_some_and(|pattern| covers(pattern, text));
    match leaf.actual() {
        Json::String(text) => {
            !(covers(covered, text) || covered.items().iter().any(|pattern| covers(pattern, text)))
        }
        other => !other.is_empty(),
    }
}

/// Whether `outer` matches everything that `inner` matches, for patterns of `*` and `?`.
pub(super) fn covers(outer: &str, inner: &str) -> bool {
    let (outer, inner): (Vec<char>, Vec<char>) = (outer.chars().collect(), inner.chars().collect());
    let (mut at, mut star, mut resume) = (0, None, 0);
    let mut place = 0;
    while place < inner.len() {
        match outer.get(at) {
            Some('*') => {
                star = Some(at);
                at += 1;
                resume = place;
            }
            Some(letter) if (*letter == inner[place] || (*letter == '?' && inner[place] != '*')) => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some(star) = star else { return false };
                at = star + 1;
                resume += 1;
                place = resume;
            }
        }
    }
    outer[at..].iter().all(|letter| *letter == '*')
}
