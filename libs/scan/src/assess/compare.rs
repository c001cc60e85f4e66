use std::cell::Cell;
use std::time::Instant;

use contracts::drift::Kind;

use super::context::Context;
use crate::diff::{ChangedPath, Leaf, Side, TooManyChanges, changed_paths};
use crate::entry::Entry;
use crate::json::Json;
use crate::rules::{Class, Rated, Rating};

/// The reason for the class of a change that a hidden value is part of.
pub(crate) const SECRET_CHANGED: &str = "a secret changed";

/// The reason why the states of an entry are not compared to the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CompareError {
    TooManyChanges,
    TooSlow,
}

/// The rating of one changed path.
pub(super) struct LeafRating {
    pub rating: Rating,
    /// Whether the stored states hide the values.
    pub is_sensitive: bool,
}

/// Compares the two states of an entry, and rates each changed path.
pub(super) fn compare(
    entry: &Entry<'_>,
    context: Context<'_>,
) -> Result<Vec<ChangedPath<LeafRating>>, CompareError> {
    if entry.kind != Kind::Changed {
        return Ok(Vec::new());
    }
    let subject = context.subject(entry);
    let is_late = Cell::new(false);
    let mut rate = |leaf: &Leaf<'_>| {
        is_late.set(is_late.get() || context.deadline.is_some_and(|deadline| Instant::now() > deadline));
        if is_late.get() {
            // The whole entry is refused as late, so its other changes need no real rating.
            let rating = Rating { class: Class::Critical, by: Rated::Default, reason: None };
            return LeafRating { rating, is_sensitive: true };
        }
        LeafRating {
            rating: context.criteria.rules.rate(&subject, leaf),
            is_sensitive: context.redactor.hides(leaf),
        }
    };
    let changes = changed_paths(
        &entry.resource_type,
        Side { value: entry.expected.as_ref().unwrap_or(&Json::Null), marks: entry.expected_marks },
        Side { value: entry.actual.as_ref().unwrap_or(&Json::Null), marks: entry.actual_marks },
        entry.unknown,
        &mut rate,
    );
    if is_late.get() {
        return Err(CompareError::TooSlow);
    }
    let changes = changes.map_err(|TooManyChanges| CompareError::TooManyChanges)?;
    Ok(changes.into_iter().map(with_sensitivity).collect())
}

/// Rates a changed secret as urgent, unless a rule says otherwise.
fn with_sensitivity(mut change: ChangedPath<LeafRating>) -> ChangedPath<LeafRating> {
    let LeafRating { rating, is_sensitive } = &mut change.rating;
    *is_sensitive |= change.is_marked;
    let is_open = matches!(rating.by, Rated::Default | Rated::Effect);
    if *is_sensitive && is_open && rating.class < Class::Critical {
        *rating = Rating { class: Class::Critical, by: Rated::Effect, reason: Some(SECRET_CHANGED) };
    }
    change
}
