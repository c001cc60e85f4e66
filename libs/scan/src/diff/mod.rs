//! Finds the paths in which a resource differs. Values are compared before redaction, so that a rotated
//! secret counts as a change.

mod elements;
mod leaf;

pub(crate) use leaf::{How, Leaf, Node, Side};

use std::collections::BTreeMap;

use crate::equality::{self, Attribute, embedded};
use crate::json::Json;
use crate::path::Step;
use crate::sensitive_marks::Marks;
use elements::Pair;
use leaf::At;

/// Limits the bytes of keys in the changed paths of one resource: a long key near the root is repeated in
/// the path of everything below it.
const MAX_PATH_BYTES: usize = 256 * 1024;
/// Deepest stack of values: a state nests at most 64 levels, and a JSON text in it as many again.
const MAX_NESTING: usize = 160;

/// A changed path, with the result of `rate`.
#[derive(Clone, Debug)]
pub(crate) struct ChangedPath<R> {
    pub path: Vec<Step>,
    /// The path, with the identity of an element in place of its index. It stays the same when other elements
    /// come and go. It may contain secrets.
    pub anchor: String,
    pub how: How,
    /// The canonical text of the actual value: equal values share it.
    pub actual: String,
    /// The canonical text of the expected value.
    pub expected: String,
    /// Whether a mark of Terraform hides the value.
    pub is_marked: bool,
    pub rating: R,
}

/// The resource differs in more paths than can be stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooManyChanges;

/// Returns the changed paths between two states. `unknown` marks values that the expected side does not know
/// yet. `rate` is called once for each change, with access to the values above the change.
///
/// Arrays are compared without regard to order, because Terraform writes sets as arrays. If nothing else
/// differs, a changed order is the change, unless the array is known to be a set.
///
/// # Errors
/// If there are more changes than can be stored.
pub(crate) fn changed_paths<R>(
    resource_type: &str,
    expected: Side<'_>,
    actual: Side<'_>,
    unknown: Marks<'_>,
    rate: &mut dyn FnMut(&Leaf<'_>) -> R,
) -> Result<Vec<ChangedPath<R>>, TooManyChanges> {
    let mut diff = Diff { resource_type, rate, changes: Vec::new(), path_bytes: 0, mode: Mode::Values };
    let root = Node { parent: None, at: At::Root, expected, actual, unknown };
    diff.compare(&root, 0);
    if diff.changes.is_empty() {
        diff.mode = Mode::Order;
        diff.compare(&root, 0);
    }
    if diff.path_bytes > MAX_PATH_BYTES { Err(TooManyChanges) } else { Ok(diff.changes) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Values,
    /// Compares only the order of arrays.
    Order,
}

struct Diff<'r, R> {
    resource_type: &'r str,
    rate: &'r mut dyn FnMut(&Leaf<'_>) -> R,
    changes: Vec<ChangedPath<R>>,
    path_bytes: usize,
    mode: Mode,
}

impl<R> Diff<'_, R> {
    fn compare(&mut self, node: &Node<'_>, depth: usize) {
        let (expected, actual) = (node.expected.value, node.actual.value);
        let is_full = self.path_bytes > MAX_PATH_BYTES || depth > MAX_NESTING;
        if is_full || node.unknown.is_marked() || expected == actual {
            return;
        }
        if node.expected.marks.is_marked() || node.actual.marks.is_marked() {
            return self.push_if_different(node, true);
        }
        match (expected, actual) {
            (Json::String(_), _) | (_, Json::String(_)) => self.texts(node, depth),
            (Json::Object(left), Json::Object(right)) => self.fields(node, left, right, depth),
            (Json::Object(left), empty) if empty.is_empty() => {
                self.fields(node, left, &BTreeMap::new(), depth);
            }
            (empty, Json::Object(right)) if empty.is_empty() => {
                self.fields(node, &BTreeMap::new(), right, depth);
            }
            (Json::Array(left), Json::Array(right)) => self.elements(node, left, right, depth),
            (Json::Array(left), empty) if empty.is_empty() => self.elements(node, left, &[], depth),
            (empty, Json::Array(right)) if empty.is_empty() => self.elements(node, &[], right, depth),
            _ => self.push_if_different(node, false),
        }
    }

    /// Compares inside texts that contain JSON. A JSON text on one side and a value on the other are equal if
    /// their contents are.
    fn texts(&mut self, node: &Node<'_>, depth: usize) {
        let inner = |value: &Json| match value {
            Json::String(text) => embedded(text),
            _ => None,
        };
        let (left, right) = (inner(node.expected.value), inner(node.actual.value));
        let is_structured =
            |inner: &Option<Json>, value: &Json| inner.is_some() || value.is_empty() || !value.is_scalar();
        let both = is_structured(&left, node.expected.value) && is_structured(&right, node.actual.value);
        if (left.is_none() && right.is_none()) || !both {
            return self.push_if_different(node, false);
        }
        let side = |inner: &Option<Json>, side: Side<'_>| inner.clone().unwrap_or_else(|| side.value.clone());
        let (left, right) = (side(&left, node.expected), side(&right, node.actual));
        let inside = Node { expected: Side::unmarked(&left), actual: Side::unmarked(&right), ..*node };
        self.compare(&inside, depth + 1);
    }

    fn fields(
        &mut self,
        node: &Node<'_>,
        left: &BTreeMap<String, Json>,
        right: &BTreeMap<String, Json>,
        depth: usize,
    ) {
        let only_right = right.keys().filter(|key| !left.contains_key(*key));
        for key in left.keys().chain(only_right) {
            let field = Node {
                parent: Some(node),
                at: At::Key(key),
                expected: node.expected.key(key),
                actual: node.actual.key(key),
                unknown: node.unknown.key(key),
            };
            self.compare(&field, depth + 1);
        }
    }

    fn elements(&mut self, node: &Node<'_>, left: &[Json], right: &[Json], depth: usize) {
        let name = node.name();
        let at = Attribute { resource_type: self.resource_type, name };
        let keeps_order = |left: &[Json], right: &[Json]| {
            left.iter().zip(right).all(|(one, other)| equality::are_equal(one, other, at))
        };
        let pairs = elements::pairs(left, right, at);
        let differ_in_order = pairs.is_empty() && !keeps_order(left, right);
        if differ_in_order && (equality::is_ordered(name) != (self.mode == Mode::Order)) {
            if self.mode == Mode::Values || !equality::is_known_set(name) {
                self.push(node, How::Reordered, false);
            }
            return;
        }
        if self.mode == Mode::Order {
            return self.order_inside(node, left, right, depth);
        }
        for Pair { was, is, anchor } in pairs {
            let index = |index: Option<usize>| index.unwrap_or(usize::MAX);
            let element = Node {
                parent: Some(node),
                at: At::Index { place: is.or(was).unwrap_or_default(), anchor: &anchor },
                expected: node.expected.item(left, index(was)),
                actual: node.actual.item(right, index(is)),
                unknown: node.unknown.index(index(was)),
            };
            self.compare(&element, depth + 1);
        }
    }

    /// Compares the order of arrays inside the elements of arrays of equal length.
    fn order_inside(&mut self, node: &Node<'_>, left: &[Json], right: &[Json], depth: usize) {
        for place in 0..left.len().min(right.len()) {
            let element = Node {
                parent: Some(node),
                at: At::Index { place, anchor: "*" },
                expected: node.expected.item(left, place),
                actual: node.actual.item(right, place),
                unknown: node.unknown.index(place),
            };
            self.compare(&element, depth + 1);
        }
    }

    fn push_if_different(&mut self, node: &Node<'_>, is_marked: bool) {
        let at = Attribute { resource_type: self.resource_type, name: node.name() };
        let is_equal = equality::are_equal(node.expected.value, node.actual.value, at);
        if is_equal || self.mode == Mode::Order {
            return;
        }
        let how = match (node.expected.value.is_empty(), node.actual.value.is_empty()) {
            (true, _) => How::Added,
            (_, true) => How::Removed,
            _ => How::Changed,
        };
        self.push(node, how, is_marked);
    }

    fn push(&mut self, node: &Node<'_>, how: How, is_marked: bool) {
        let at = Attribute { resource_type: self.resource_type, name: node.name() };
        let text = |value: &Json| match how {
            How::Reordered => value.to_text(),
            _ => equality::canonical(value, at),
        };
        let path = node.path();
        self.path_bytes += path.iter().map(|step| step.key().map_or(8, str::len) + 1).sum::<usize>();
        let leaf = Leaf { node, how, resource_type: self.resource_type };
        self.changes.push(ChangedPath {
            rating: (self.rate)(&leaf),
            anchor: node.anchor(),
            actual: text(node.actual.value),
            expected: text(node.expected.value),
            path,
            how,
            is_marked,
        });
    }
}

#[cfg(test)]
mod tests;
