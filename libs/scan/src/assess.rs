//! Turns an entry into a finding: compares, rates and redacts, in this order. Hidden values can no longer
//! be compared.

mod hashes;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Instant;

use crate::diff::{Change, Leaf, Side, TooManyChanges, changed_paths};
use crate::entry::Entry;
use crate::equality::{Attribute, canonical};
use crate::finding::{Finding, ShownChange};
use crate::identity::StateKey;
use crate::json::Json;
use crate::kind::Kind;
use crate::path::Step;
use crate::place::Witnesses;
use crate::redact::Redactor;
use crate::rules::{Class, Rated, Rating, Rules, Subject};
use crate::severity::Severity;
use hashes::Hashes;

const MAX_ADDRESS_CHARS: usize = 2048;
const MAX_TYPE_CHARS: usize = 256;
const MAX_ID_CHARS: usize = 1024;
const NUL: char = '\0';
/// Reasons that do not come from a rule. A stored drift keeps them when it is rated again.
pub const NOT_YET_CREATED: &str = "not yet created";
pub const ONLY_COMPUTED: &str = "only computed attributes differ";
pub const SECRET_CHANGED: &str = "a secret changed";

/// The service's means to assess entries: its rules and its key.
#[derive(Clone, Copy)]
pub struct Judgement<'a> {
    pub rules: &'a Rules,
    pub key: &'a StateKey,
}

/// Everything that a finding depends on in addition to the entry.
#[derive(Clone, Copy)]
pub struct Bench<'a> {
    pub judgement: Judgement<'a>,
    pub redactor: &'a Redactor<'a>,
    pub stack: &'a str,
    /// The region to use if nothing else reports one.
    pub region: Option<&'a str>,
    pub account: Option<&'a str>,
    /// The time by which the entry must be assessed.
    pub deadline: Option<Instant>,
}

/// The result of assessing an entry.
pub enum Outcome {
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

/// The reason why the states of an entry are not compared to the end.
#[derive(Debug, PartialEq, Eq)]
pub enum CompareError {
    TooManyChanges,
    TooSlow,
}

/// A resource that a scan examined and that does not drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub address: String,
    pub resource_type: String,
    pub resource_id: String,
}

/// The number of changes that each rule of the file decided, by the index of the rule.
pub type RuleUses = BTreeMap<usize, u64>;

struct Judged {
    rating: Rating,
    is_sensitive: bool,
}

/// Assesses an entry of a scan, and counts in `uses` the changes that each rule of the file decided.
pub fn assess(entry: Entry<'_>, bench: Bench<'_>, uses: &mut RuleUses) -> Outcome {
    if !is_storable(&entry) {
        return Outcome::Refused("its address, type or id is out of bounds");
    }
    let changes = match compare(&entry, bench) {
        Ok(changes) => changes,
        Err(CompareError::TooManyChanges) => return Outcome::Refused("it differs in too many paths"),
        Err(CompareError::TooSlow) => return Outcome::Late,
    };
    if entry.kind == Kind::Changed && changes.is_empty() && !entry.lacks_states {
        return Outcome::Same(settled(&entry, bench));
    }
    let (class, reason) = class_of(&entry, &changes, bench, uses);
    if class == Class::Ignore {
        return Outcome::Ignored(settled(&entry, bench));
    }
    Outcome::Drift(Box::new(finding(entry, changes, class.severity(), reason, bench)))
}

/// Assesses a drift that is reported directly: no rule ignores it, and the reporter may set its severity.
pub fn assess_report(
    entry: Entry<'_>,
    severity: Option<Severity>,
    bench: Bench<'_>,
) -> Result<Finding, CompareError> {
    let changes = compare(&entry, bench)?;
    let (class, reason) = class_of(&entry, &changes, bench, &mut RuleUses::new());
    let (severity, reason) = match severity {
        Some(severity) => (severity, None),
        None => (class.severity(), reason),
    };
    Ok(finding(entry, changes, severity, reason, bench))
}

fn is_storable(entry: &Entry<'_>) -> bool {
    let fits = |text: &str, max_chars| !text.contains(NUL) && text.chars().count() <= max_chars;
    fits(&entry.address, MAX_ADDRESS_CHARS)
        && !entry.address.is_empty()
        && fits(&entry.resource_type, MAX_TYPE_CHARS)
        && entry.resource_id.as_ref().is_none_or(|id| fits(id, MAX_ID_CHARS))
}

fn subject<'a>(entry: &'a Entry<'_>, bench: Bench<'a>) -> Subject<'a> {
    Subject {
        stack: bench.stack,
        address: &entry.address,
        resource_type: &entry.resource_type,
        kind: entry.kind,
    }
}

fn compare(entry: &Entry<'_>, bench: Bench<'_>) -> Result<Vec<Change<Judged>>, CompareError> {
    if entry.kind != Kind::Changed {
        return Ok(Vec::new());
    }
    let subject = subject(entry, bench);
    let is_late = Cell::new(false);
    let mut judge = |leaf: &Leaf<'_>| {
        is_late.set(is_late.get() || bench.deadline.is_some_and(|deadline| Instant::now() > deadline));
        if is_late.get() {
            // The entry is given up: its other changes need no rating.
            let rating = Rating { class: Class::Critical, by: Rated::Default, reason: None };
            return Judged { rating, is_sensitive: true };
        }
        Judged {
            rating: bench.judgement.rules.rate(&subject, leaf),
            is_sensitive: bench.redactor.hides(leaf),
        }
    };
    let changes = changed_paths(
        &entry.resource_type,
        Side { value: entry.expected.as_ref().unwrap_or(&Json::Null), marks: entry.expected_marks },
        Side { value: entry.actual.as_ref().unwrap_or(&Json::Null), marks: entry.actual_marks },
        entry.unknown,
        &mut judge,
    );
    if is_late.get() {
        return Err(CompareError::TooSlow);
    }
    let changes = changes.map_err(|TooManyChanges| CompareError::TooManyChanges)?;
    Ok(changes.into_iter().map(with_sensitivity).collect())
}

/// Rates a changed secret as urgent, unless a rule says otherwise.
fn with_sensitivity(mut change: Change<Judged>) -> Change<Judged> {
    let judged = &mut change.rating;
    judged.is_sensitive |= change.is_marked;
    let is_open = matches!(judged.rating.by, Rated::Default | Rated::Effect);
    if judged.is_sensitive && is_open && judged.rating.class < Class::Critical {
        judged.rating = Rating { class: Class::Critical, by: Rated::Effect, reason: Some(SECRET_CHANGED) };
    }
    change
}

/// Returns the class of the whole finding: the highest among its changes.
fn class_of(
    entry: &Entry<'_>,
    changes: &[Change<Judged>],
    bench: Bench<'_>,
    uses: &mut RuleUses,
) -> (Class, Option<&'static str>) {
    let whole = || bench.judgement.rules.rate_whole(&subject(entry, bench));
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

fn settled(entry: &Entry<'_>, bench: Bench<'_>) -> Settled {
    let witnesses = Witnesses::of(entry);
    Settled {
        address: bench.redactor.address(&entry.address),
        resource_type: entry.resource_type.clone(),
        resource_id: bench.redactor.key(&resource_id(entry, &witnesses)),
    }
}

fn resource_id(entry: &Entry<'_>, witnesses: &Witnesses<'_>) -> String {
    let own = entry.resource_id.clone().filter(|id| !id.is_empty());
    own.or_else(|| witnesses.id(MAX_ID_CHARS).map(Into::into))
        .unwrap_or_else(|| entry.address.chars().take(MAX_ID_CHARS).collect())
}

fn finding(
    entry: Entry<'_>,
    changes: Vec<Change<Judged>>,
    severity: Severity,
    reason: Option<&'static str>,
    bench: Bench<'_>,
) -> Finding {
    let redactor = bench.redactor;
    let witnesses = Witnesses::of(&entry);
    let resource_id = resource_id(&entry, &witnesses);
    let shown_place = |place: String| (redactor.text(&place) == place).then_some(place);
    let region = witnesses.region(bench.region).and_then(shown_place);
    let account_id = witnesses.account(bench.account).and_then(shown_place);
    let lacks_id = resource_id == entry.address;
    let gone = entry.expected.as_ref().filter(|_| entry.kind == Kind::Missing);
    let gone =
        gone.map(|state| canonical(state, Attribute { resource_type: &entry.resource_type, name: "" }));
    let hashes = Hashes::new(entry.kind, &changes, gone, severity, bench);
    let shown = |state: Option<Json>, marks| {
        state.map(|state| redactor.state(&entry.resource_type, state, marks).to_text())
    };
    Finding {
        kind: entry.kind,
        expected_state: shown(entry.expected, entry.expected_marks),
        actual_state: shown(entry.actual, entry.actual_marks),
        address: redactor.address(&entry.address),
        previous_address: entry.previous_address.map(|address| redactor.address(&address)),
        resource_id: redactor.key(&resource_id),
        lacks_id,
        region,
        account_id,
        provider: entry.provider.name.map(|name| name.chars().take(MAX_TYPE_CHARS).collect()),
        provider_config: entry.provider.config.map(|name| name.chars().take(MAX_TYPE_CHARS).collect()),
        difference: difference(&changes, redactor),
        decidable: hashes.decidable,
        actual_hash: hashes.actual,
        shown_hash: hashes.shown,
        severity,
        reason,
        is_state_only: entry.is_state_only,
        lacks_states: entry.lacks_states,
        resource_type: entry.resource_type,
    }
}

fn shown_path(path: &[Step], redactor: &Redactor<'_>) -> Vec<Step> {
    path.iter()
        .map(|step| match step {
            Step::Key(key) => Step::Key(redactor.key(key)),
            Step::Index(index) => Step::Index(*index),
        })
        .collect()
}

fn difference(changes: &[Change<Judged>], redactor: &Redactor<'_>) -> String {
    let shown: Vec<ShownChange<'_>> = changes
        .iter()
        .map(|change| ShownChange {
            path: shown_path(&change.path, redactor),
            sensitive: change.rating.is_sensitive,
            change: change.how.into_str(),
            class: change.rating.rating.class.into_str(),
            reason: change.rating.rating.reason,
        })
        .collect();
    serde_json::to_string(&shown).unwrap_or_else(|_| "[]".into())
}
