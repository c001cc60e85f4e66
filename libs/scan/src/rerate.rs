//! Rates stored drifts again after the rules have changed. Hidden values in their states cannot be compared,
//! so their changes keep their class.

use std::collections::{BTreeMap, BTreeSet};

use contracts::drift::{Kind, Severity};
use serde::Deserialize;

use crate::assess::{NOT_YET_CREATED, ONLY_COMPUTED, SECRET_CHANGED};
use crate::diff::{Leaf, Side, changed_paths};
use crate::finding::{PathHash, ShownChange};
use crate::json::Json;
use crate::path::Step;
use crate::resource_identity::StateKey;
use crate::rules::{Class, Rated, Rating, Rules, Subject};
use crate::sensitive_marks::Marks;

/// A stored drift.
pub struct RatedDrift<'a> {
    pub subject: Subject<'a>,
    pub expected_state: Option<&'a str>,
    pub actual_state: Option<&'a str>,
    pub difference: &'a str,
    pub reason: Option<&'a str>,
    pub decidable: Vec<PathHash>,
}

/// A stored drift after rating it by the current rules.
#[derive(Debug)]
pub struct Rerated {
    /// Whether every change is ignored.
    pub is_ignored: bool,
    pub severity: Severity,
    pub reason: Option<String>,
    pub difference: String,
    pub decidable: Vec<PathHash>,
    /// `None` if the hash does not change.
    pub actual_hash: Option<String>,
    /// The rules that decided on at least one change, as indexes of [`Rules::listed`].
    pub rules: BTreeSet<usize>,
}

#[derive(Deserialize)]
struct KnownChange {
    path: Vec<Step>,
    #[serde(default)]
    sensitive: bool,
    change: Option<String>,
    class: Option<Class>,
    reason: Option<String>,
}

/// Reasons that come from the plan and not from a rule.
const FIXED_REASONS: [&str; 2] = [NOT_YET_CREATED, ONLY_COMPUTED];

/// Rates a stored drift by the current rules.
pub fn rerate(stored: RatedDrift<'_>, rules: &Rules, key: &StateKey) -> Rerated {
    let RatedDrift { subject, reason, .. } = stored;
    let known: Vec<KnownChange> = serde_json::from_str(stored.difference).unwrap_or_default();
    let ratings = rate_states(&stored, rules);
    let mut shown = Vec::with_capacity(known.len());
    let mut highest: Option<(Class, Option<String>, bool)> = None;
    let mut deciding = BTreeSet::new();
    let mut is_by_rule = |rating: Rating| match rating.by {
        Rated::Rule(rule) => {
            deciding.insert(rule);
            true
        }
        _ => false,
    };
    let mut note = |class: Class, reason: Option<String>, is_by_rule: bool| {
        if highest.as_ref().is_none_or(|(known, ..)| class > *known) {
            highest = Some((class, reason, is_by_rule));
        }
    };
    for change in &known {
        let rating = ratings.get(&change.path).copied();
        let rating = rating.filter(|rating| !change.sensitive || matches!(rating.by, Rated::Rule(_)));
        let (class, why, by_rule) = match rating.or_else(|| rules.rate_path(&subject, &change.path)) {
            Some(rating) => (rating.class, rating.reason.map(String::from), is_by_rule(rating)),
            None if change.sensitive => (Class::Critical, Some(SECRET_CHANGED.into()), false),
            None => (change.class.unwrap_or(Class::Warning), change.reason.clone(), false),
        };
        note(class, why.clone(), by_rule);
        shown.push((change, class, why));
    }
    if known.is_empty() {
        let rating = rules.rate_whole(&subject);
        note(rating.class, rating.reason.map(String::from), is_by_rule(rating));
    }
    let (class, why, by_rule) = highest.unwrap_or((Class::Warning, None, false));
    let fixed = reason.filter(|reason| FIXED_REASONS.contains(reason) && !by_rule);
    let capped = fixed.filter(|reason| *reason == NOT_YET_CREATED || class == Class::Warning);
    let decidable: Vec<PathHash> =
        stored.decidable.into_iter().filter(|hash| !rules.covers(&subject, &hash.path)).collect();
    let difference: Vec<ShownChange<'_>> = shown
        .iter()
        .map(|(change, class, why)| ShownChange {
            path: change.path.clone(),
            sensitive: change.sensitive,
            change: match change.change.as_deref() {
                Some("added") => "added",
                Some("removed") => "removed",
                Some("reordered") => "reordered",
                _ => "changed",
            },
            class: class.into_str(),
            reason: why.as_deref(),
        })
        .collect();
    Rerated {
        is_ignored: class == Class::Ignore,
        severity: if capped.is_some() { Severity::Info } else { class.severity() },
        reason: capped.map(String::from).or(why),
        difference: serde_json::to_string(&difference).unwrap_or_else(|_| "[]".into()),
        actual_hash: actual_hash(subject.kind, &decidable, key),
        decidable,
        rules: deciding,
    }
}

/// Returns the hash of the decidable part, computed as for a finding.
fn actual_hash(kind: Kind, decidable: &[PathHash], key: &StateKey) -> Option<String> {
    if kind != Kind::Changed {
        return None;
    }
    let mut parts = vec!["actual", kind.into_str()];
    parts.extend(decidable.iter().map(|hash| hash.value.as_str()));
    Some(key.hash(&parts))
}

fn rate_states(stored: &RatedDrift<'_>, rules: &Rules) -> BTreeMap<Vec<Step>, Rating> {
    let parse = |state: Option<&str>| Json::parse_text(state.unwrap_or("null")).unwrap_or(Json::Null);
    let (expected, actual) = (parse(stored.expected_state), parse(stored.actual_state));
    let mut rate = |leaf: &Leaf<'_>| rules.rate(&stored.subject, leaf);
    let sides = [Side::unmarked(&expected), Side::unmarked(&actual)];
    let changes = changed_paths(stored.subject.resource_type, sides[0], sides[1], Marks::NONE, &mut rate)
        .unwrap_or_default();
    changes.into_iter().map(|change| (change.path, change.rating)).collect()
}
