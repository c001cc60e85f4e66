//! Compares what a scan found with what is known. Pure: the rules of the status machine's last three
//! columns, and nothing else.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::drift::Status;
use crate::drift::entity::{Live, Resolved};
use crate::fingerprint::Identity;
use crate::money::Money;
use crate::scan::Finding;

/// A finding with the identity of its drift.
#[derive(Clone, Debug)]
pub struct Sighting {
    pub fingerprint: String,
    pub finding: Finding,
    pub cost: Money,
}

impl Sighting {
    pub fn new(finding: Finding, stack: &str, cost: Money) -> Self {
        let identity = Identity {
            account_id: finding.account_id.as_deref(),
            stack,
            resource_type: &finding.resource_type,
            resource_id: &finding.resource_id,
            region: &finding.region,
        };
        Self { fingerprint: identity.fingerprint(), finding, cost }
    }
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Reconciliation {
    /// Live drifts seen in the state they were seen in before.
    pub seen_again: Vec<Uuid>,
    /// Undecided drifts seen in another state.
    pub updated: Vec<(Live, Finding)>,
    /// Decided drifts seen in another state: the decision held for the old one.
    pub superseded: Vec<Live>,
    /// New drifts, with the one each follows.
    pub new: Vec<(Sighting, Option<Uuid>)>,
    /// Live drifts that a complete scan did not find.
    pub gone: Vec<Live>,
}

/// `live` are all live drifts that the scan covers; `resolved` the last resolved ones of the fingerprints
/// that are not live. `is_complete`: what was not found is gone.
pub fn reconcile(
    sightings: Vec<Sighting>,
    live: Vec<Live>,
    resolved: Vec<Resolved>,
    is_complete: bool,
) -> Reconciliation {
    let mut known: BTreeMap<String, Live> =
        live.into_iter().map(|drift| (drift.fingerprint.clone(), drift)).collect();
    let last_resolved: HashMap<String, Resolved> =
        resolved.into_iter().map(|drift| (drift.fingerprint.clone(), drift)).collect();

    let mut outcome = Reconciliation::default();
    for sighting in sightings {
        let actual_hash = &sighting.finding.actual_hash;
        match known.remove(&sighting.fingerprint) {
            Some(drift) if drift.actual_hash == *actual_hash => outcome.seen_again.push(drift.id),
            Some(drift) if drift.status == Status::Detected => {
                outcome.updated.push((drift, sighting.finding))
            }
            Some(drift) => {
                outcome.new.push((sighting, Some(drift.id)));
                outcome.superseded.push(drift);
            }
            None => {
                let previous = last_resolved.get(&sighting.fingerprint);
                let previous =
                    previous.filter(|drift| drift.actual_hash == *actual_hash).map(|drift| drift.id);
                outcome.new.push((sighting, previous));
            }
        }
    }
    if is_complete {
        outcome.gone = known.into_values().collect();
    }
    outcome
}

/// The first sighting of each fingerprint, and the addresses of the others.
pub fn distinct(sightings: Vec<Sighting>) -> (Vec<Sighting>, Vec<String>) {
    let mut seen = HashSet::new();
    let (first, again): (Vec<_>, Vec<_>) =
        sightings.into_iter().partition(|sighting| seen.insert(sighting.fingerprint.clone()));
    (first, again.into_iter().map(|sighting| sighting.finding.address).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::Kind;
    use crate::rules::Severity;

    fn sighting(name: &str, actual_hash: &str) -> Sighting {
        let finding = Finding {
            kind: Kind::Changed,
            address: name.into(),
            resource_type: "aws_x".into(),
            resource_id: name.into(),
            region: "r".into(),
            account_id: None,
            expected_state: None,
            actual_state: None,
            difference: "[]".into(),
            actual_hash: actual_hash.into(),
            severity: Severity::Warning,
            is_state_only: false,
        };
        Sighting { fingerprint: name.into(), finding, cost: Money::default() }
    }

    fn live(name: &str, actual_hash: &str, status: Status) -> Live {
        Live {
            id: Uuid::new_v4(),
            account_id: None,
            fingerprint: name.into(),
            actual_hash: actual_hash.into(),
            status,
            severity: Severity::Warning,
            region: "r".into(),
            cost_cents: 0,
        }
    }

    #[test]
    fn the_same_actual_state_is_silent_whatever_was_decided() {
        for status in [Status::Detected, Status::Approved, Status::Rejected] {
            let drift = live("a", "1", status);
            let outcome = reconcile(vec![sighting("a", "1")], vec![drift.clone()], vec![], true);
            assert_eq!(outcome.seen_again, [drift.id]);
            assert!(outcome.new.is_empty() && outcome.gone.is_empty() && outcome.updated.is_empty());
        }
    }

    #[test]
    fn another_actual_state_updates_what_is_undecided_and_supersedes_what_is_decided() {
        let undecided = live("a", "1", Status::Detected);
        let outcome = reconcile(vec![sighting("a", "2")], vec![undecided], vec![], false);
        assert_eq!((outcome.updated.len(), outcome.superseded.len(), outcome.new.len()), (1, 0, 0));

        for status in [Status::Approved, Status::Rejected] {
            let decided = live("a", "1", status);
            let outcome = reconcile(vec![sighting("a", "2")], vec![decided.clone()], vec![], false);
            assert_eq!(outcome.superseded[0].id, decided.id);
            assert_eq!(outcome.new[0].1, Some(decided.id));
        }
    }

    #[test]
    fn a_drift_that_comes_back_in_the_same_state_names_the_one_before() {
        let before =
            |hash: &str| Resolved { id: Uuid::new_v4(), fingerprint: "a".into(), actual_hash: hash.into() };
        let last = before("2");
        let outcome = |hash| reconcile(vec![sighting("a", hash)], vec![], vec![last.clone()], false);
        assert_eq!(outcome("2").new[0].1, Some(last.id));
        assert_eq!(outcome("1").new[0].1, None);
    }

    #[test]
    fn only_a_complete_scan_tells_what_is_gone() {
        let drift = live("a", "1", Status::Approved);
        assert!(reconcile(vec![], vec![drift.clone()], vec![], false).gone.is_empty());
        assert_eq!(reconcile(vec![], vec![drift.clone()], vec![], true).gone[0].id, drift.id);
    }

    #[test]
    fn a_fingerprint_counts_once_per_scan() {
        let (first, again) = distinct(vec![sighting("a", "1"), sighting("b", "1"), sighting("a", "2")]);
        assert_eq!(first.len(), 2);
        assert_eq!(again, ["a"]);
    }
}
