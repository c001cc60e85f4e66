//! Which paths of a resource differ. Values are compared before anything is redacted, so that a
//! rotated secret is a change; the result holds paths only.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use super::json::Json;
use super::marks::Marks;
use super::redact::is_secret_name;

/// One step of a path: paths are JSON arrays, since keys may hold dots, slashes and quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Step {
    Key(String),
    Index(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub path: Vec<Step>,
    /// A mark or the name of a key hides the value.
    pub sensitive: bool,
}

/// How many bytes of keys the changed paths of one resource may hold: a long key above many others is
/// in the path of each of them.
const MAX_PATH_BYTES: usize = 256 * 1024;

/// A resource differs in more paths than can be kept.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyChanges;

/// A value with its marks.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub value: &'a Json,
    pub marks: Marks<'a>,
}

impl<'a> Side<'a> {
    fn key(self, key: &str) -> Self {
        Self { value: self.value.get(key).unwrap_or(&Json::Null), marks: self.marks.key(key) }
    }

    fn item(self, items: &'a [Json], index: usize) -> Self {
        Self { value: items.get(index).unwrap_or(&Json::Null), marks: self.marks.index(index) }
    }
}

/// The changed paths between two states. `unknown` marks what the expected side does not know yet.
///
/// Arrays are compared as bags first, since sets are rendered as arrays of no promised order; where
/// nothing else differs, a changed order is the change.
pub fn changed_paths(
    expected: Side<'_>,
    actual: Side<'_>,
    unknown: Marks<'_>,
) -> Result<Vec<Change>, TooManyChanges> {
    for compare_arrays in [compare_as_bags as CompareArrays, compare_in_order] {
        let mut diff = Diff { compare_arrays, path: Vec::new(), changes: Vec::new(), path_bytes: 0 };
        diff.compare(expected, actual, unknown);
        if diff.path_bytes > MAX_PATH_BYTES {
            return Err(TooManyChanges);
        }
        if !diff.changes.is_empty() {
            return Ok(diff.changes);
        }
    }
    Ok(Vec::new())
}

type CompareArrays = fn(&mut Diff, [(&[Json], Side<'_>); 2], Marks<'_>);

struct Diff {
    compare_arrays: CompareArrays,
    path: Vec<Step>,
    changes: Vec<Change>,
    path_bytes: usize,
}

impl Diff {
    fn compare(&mut self, expected: Side<'_>, actual: Side<'_>, unknown: Marks<'_>) {
        let is_full = self.path_bytes > MAX_PATH_BYTES;
        if is_full || unknown.is_marked() || expected.value == actual.value {
            return;
        }
        if expected.marks.is_marked() || actual.marks.is_marked() {
            return self.push(true);
        }
        let empty = BTreeMap::new();
        match (expected.value, actual.value) {
            (Json::Object(left), Json::Object(right)) => self.fields(left, right, expected, actual, unknown),
            (Json::Object(left), Json::Null) if !left.is_empty() => {
                self.fields(left, &empty, expected, actual, unknown)
            }
            (Json::Null, Json::Object(right)) if !right.is_empty() => {
                self.fields(&empty, right, expected, actual, unknown)
            }
            (Json::Array(left), Json::Array(right)) => {
                (self.compare_arrays)(self, [(left, expected), (right, actual)], unknown)
            }
            _ => self.push(false),
        }
    }

    fn fields(
        &mut self,
        left: &BTreeMap<String, Json>,
        right: &BTreeMap<String, Json>,
        expected: Side<'_>,
        actual: Side<'_>,
        unknown: Marks<'_>,
    ) {
        let only_right = right.keys().filter(|key| !left.contains_key(*key));
        for key in left.keys().chain(only_right) {
            self.step(Step::Key(key.clone()), |diff| {
                diff.compare(expected.key(key), actual.key(key), unknown.key(key));
            });
        }
    }

    fn step(&mut self, step: Step, compare: impl FnOnce(&mut Self)) {
        self.path.push(step);
        compare(self);
        self.path.pop();
    }

    fn push(&mut self, marked: bool) {
        let named = || matches!(self.path.iter().rev().find_map(key_of), Some(key) if is_secret_name(key));
        self.path_bytes += self.path.iter().map(|step| key_of(step).map_or(8, str::len) + 1).sum::<usize>();
        self.changes.push(Change { path: self.path.clone(), sensitive: marked || named() });
    }
}

fn key_of(step: &Step) -> Option<&str> {
    match step {
        Step::Key(key) => Some(key),
        Step::Index(_) => None,
    }
}

/// Takes equal elements out of both arrays, pairs what is left in order, and reports the rest by its
/// place in the array it is in.
fn compare_as_bags(
    diff: &mut Diff,
    [(left, expected), (right, actual)]: [(&[Json], Side<'_>); 2],
    unknown: Marks<'_>,
) {
    let mut unmatched: BTreeMap<&Json, Vec<usize>> = BTreeMap::new();
    for (index, item) in right.iter().enumerate().rev() {
        unmatched.entry(item).or_default().push(index);
    }
    let gone: Vec<usize> = (0..left.len())
        .filter(|index| unmatched.get_mut(&left[*index]).and_then(Vec::pop).is_none())
        .collect();
    let mut came: Vec<usize> = unmatched.into_values().flatten().collect();
    came.sort_unstable();

    for position in 0..gone.len().max(came.len()) {
        let (was, is) = (gone.get(position).copied(), came.get(position).copied());
        let place = is.or(was).unwrap_or_default();
        diff.step(Step::Index(place), |diff| {
            diff.compare(
                expected.item(left, was.unwrap_or(usize::MAX)),
                actual.item(right, is.unwrap_or(usize::MAX)),
                unknown.index(was.unwrap_or(usize::MAX)),
            );
        });
    }
}

fn compare_in_order(
    diff: &mut Diff,
    [(left, expected), (right, actual)]: [(&[Json], Side<'_>); 2],
    unknown: Marks<'_>,
) {
    for index in 0..left.len().max(right.len()) {
        let (was, is) = (expected.item(left, index), actual.item(right, index));
        let is_extra = index >= left.len().min(right.len());
        diff.step(Step::Index(index), |diff| match (was.value, is.value) {
            (Json::Null, Json::Null) if is_extra => diff.push(false),
            _ => diff.compare(was, is, unknown.index(index)),
        });
    }
}
