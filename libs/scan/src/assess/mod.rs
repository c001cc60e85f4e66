//! Turns an entry into a finding: compares, rates and redacts, in this order. Hidden values can no longer
//! be compared.

mod build;
mod compare;
mod context;
mod hashes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use contracts::drift::{Kind, Severity};

use crate::diff::ChangedPath;
use crate::entry::Entry;
use crate::finding::{Finding, Settled};
use crate::rules::{Class, Rated, Rating};
use build::{MAX_ID_CHARS, finding, settled};
use compare::{LeafRating, compare};

pub(crate) use compare::{CompareError, SECRET_CHANGED};
pub(crate) use context::Context;
pub use context::Criteria;

const MAX_ADDRESS_CHARS: usize = 2048;
const MAX_TYPE_CHARS: usize = 256;
const NUL: char = '\0';
/// Reasons that do not come from a rule. A stored drift keeps them when it is rated again.
pub(crate) const NOT_YET_CREATED: &str = "not yet created";
pub(crate) const ONLY_COMPUTED: &str = "only computed attributes differ";

/// The result of assessing an entry.
pub(crate) enum Outcome {
    Drift(Box<Finding>),
    /// Ignore rules cover every change.
    Ignored(Settled),
    /// Nothing differs.
    Same(Settled),
    /// The entry cannot be accepted, for this reason.
    Refused(&'static str),
    /// The deadline has passed.
    Late,
}

/// The number of changes that each rule of the file decided, by the index of the rule.
pub type RuleUses = BTreeMap<usize, u64>;

/// Assesses an entry of a scan, and counts in `uses` the changes that each rule of the file decided.
pub(crate) fn assess(entry: Entry<'_>, context: Context<'_>, uses: &mut RuleUses) -> Outcome {
    if !is_storable(&entry) {
        return Outcome::Refused("its address, type or id is out of bounds");
    }
    let changes = match compare(&entry, context) {
        Ok(changes) => changes,
        Err(CompareError::TooManyChanges) => return Outcome::Refused("it differs in too many paths"),
        Err(CompareError::TooSlow) => return Outcome::Late,
    };
    if entry.kind == Kind::Changed && changes.is_empty() && !entry.lacks_states && !entry.is_replaced {
        return Outcome::Same(settled(&entry, context));
    }
    let (class, reason) = class_of(&entry, &changes, context, uses);
    if class == Class::Ignore && !context.is_planned {
        return Outcome::Ignored(settled(&entry, context));
    }
    Outcome::Drift(Box::new(finding(entry, changes, class.severity(), reason, context)))
}

/// Assesses a drift that is reported directly: no rule ignores it, and the reporter may set its severity.
pub(crate) fn assess_report(
    entry: Entry<'_>,
    severity: Option<Severity>,
    context: Context<'_>,
) -> Result<Finding, CompareError> {
    let changes = compare(&entry, context)?;
    let (class, reason) = class_of(&entry, &changes, context, &mut RuleUses::new());
    let (severity, reason) = match severity {
        Some(severity) => (severity, None),
        None => (class.severity(), reason),
    };
    Ok(finding(entry, changes, severity, reason, context))
}

fn is_storable(entry: &Entry<'_>) -> bool {
    let fits = |text: &str, max_chars| !text.contains(NUL) && text.chars().count() <= max_chars;
    fits(&entry.address, MAX_ADDRESS_CHARS)
        && !entry.address.is_empty()
        && fits(&entry.resource_type, MAX_TYPE_CHARS)
        && entry.resource_id.as_ref().is_none_or(|id| fits(id, MAX_ID_CHARS))
}

/// Returns the class of the whole finding: the highest among its changes, or info for a resource that is not
/// yet created or that differs only in computed attributes, unless a rule decides otherwise.
fn class_of(
    entry: &Entry<'_>,
    changes: &[ChangedPath<LeafRating>],
    context: Context<'_>,
    uses: &mut RuleUses,
) -> (Class, Option<&'static str>) {
    let whole = || context.criteria.rules.rate_whole(&context.subject(entry));
    let ratings: Vec<Rating> = match changes {
        [] => vec![whole()],
        changes => changes.iter().map(|change| change.rating.rating).collect(),
    };
    for rating in &ratings {
        if let Rated::Rule(rule) = rating.by {
            *uses.entry(rule).or_default() += 1;
        }
    }
    let Some(highest) = ratings.into_iter().max_by_key(|rating| rating.class) else {
        return (Class::Warning, None);
    };
    let is_by_rule = matches!(highest.by, Rated::Rule(_));
    match highest.class {
        Class::Critical if entry.is_planned && !is_by_rule => (Class::Info, Some(NOT_YET_CREATED)),
        Class::Warning if entry.is_state_only && !is_by_rule => (Class::Info, Some(ONLY_COMPUTED)),
        class => (class, highest.reason),
    }
}
