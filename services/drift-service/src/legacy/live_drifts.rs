use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};
use contracts::AccountId;
use contracts::drift::Status;
use uuid::Uuid;

use crate::drift::entity::Model;

/// The live drifts of an import. The source may have several of one resource; here, one of them is live.
#[derive(Default)]
pub(super) struct LiveDrifts(HashMap<String, Candidate>);

#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub id: Uuid,
    pub account: Option<AccountId>,
    /// Identifies the actual state; `None` without one, so that two drifts without states are never the same.
    pub actual_hash: Option<String>,
    /// The last sighting of this state.
    pub seen_at: DateTime<Utc>,
    pub is_decided: bool,
}

/// The place of a live drift among those of its resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the only one so far.
    Live,
    /// A newer one, or one whose decision covers it too, is live. It counts as superseded at that time.
    Superseded { at: DateTime<Utc> },
    /// It takes the place of this one, which is older or undecided.
    Replaces(Uuid),
}

impl From<&Model> for Candidate {
    fn from(row: &Model) -> Self {
        Self {
            id: row.id,
            account: row.account_id.clone(),
            actual_hash: row.actual_state.as_ref().map(|_| row.actual_hash.clone()),
            seen_at: row.detected_at,
            is_decided: row.status != Status::Detected,
        }
    }
}

impl LiveDrifts {
    /// Adds a drift that is here already, unless its resource is known.
    pub(super) fn know(&mut self, row: &Model) {
        self.0.entry(row.fingerprint.clone()).or_insert_with(|| row.into());
    }

    /// The account of the live drift with this fingerprint.
    pub(super) fn account(&self, fingerprint: &str) -> Option<&AccountId> {
        self.0.get(fingerprint)?.account.as_ref()
    }

    /// Adds a live drift. In one import, decided drifts come before others, and newer ones before older ones, so that
    /// nothing has to be decided again.
    pub(super) fn add(&mut self, fingerprint: &str, drift: Candidate) -> Place {
        let kept = match self.0.entry(fingerprint.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(drift);
                return Place::Live;
            }
            Entry::Occupied(kept) => kept.into_mut(),
        };
        let is_same = kept.actual_hash.is_some() && kept.actual_hash == drift.actual_hash;
        let is_newer = drift.seen_at > kept.seen_at;
        if is_same {
            let seen_at = kept.seen_at.max(drift.seen_at);
            kept.seen_at = seen_at;
            if drift.is_decided && !kept.is_decided {
                return Place::Replaces(std::mem::replace(kept, Candidate { seen_at, ..drift }).id);
            }
        } else if is_newer {
            return Place::Replaces(std::mem::replace(kept, drift).id);
        }
        Place::Superseded { at: kept.seen_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn drift(id: u128, hash: &str, seconds: i64, is_decided: bool) -> Candidate {
        let actual_hash = (!hash.is_empty()).then(|| hash.into());
        Candidate { id: Uuid::from_u128(id), account: None, actual_hash, seen_at: at(seconds), is_decided }
    }

    #[test]
    fn a_decision_covers_a_later_sighting_of_the_same_state() {
        let mut drifts = LiveDrifts::default();
        assert_eq!(drifts.add("a", drift(1, "x", 10, true)), Place::Live);
        assert_eq!(drifts.add("a", drift(2, "x", 30, false)), Place::Superseded { at: at(30) });
        // Another state in between is history, because the decided state came back.
        assert_eq!(drifts.add("a", drift(3, "y", 20, false)), Place::Superseded { at: at(30) });
        assert_eq!(drifts.add("b", drift(4, "x", 5, false)), Place::Live);
    }

    #[test]
    fn a_later_change_has_to_be_decided() {
        let mut drifts = LiveDrifts::default();
        drifts.add("a", drift(1, "x", 10, true));
        assert_eq!(drifts.add("a", drift(2, "y", 20, false)), Place::Replaces(Uuid::from_u128(1)));
        assert_eq!(drifts.add("a", drift(3, "z", 15, false)), Place::Superseded { at: at(20) });
    }

    #[test]
    fn an_earlier_change_is_history() {
        let mut drifts = LiveDrifts::default();
        drifts.add("a", drift(1, "x", 10, true));
        assert_eq!(drifts.add("a", drift(2, "y", 5, true)), Place::Superseded { at: at(10) });
    }

    #[test]
    fn a_later_import_brings_the_decision() {
        for hash in ["x", "y"] {
            let mut drifts = LiveDrifts::default();
            drifts.add("a", drift(1, "x", 10, false));
            assert_eq!(
                drifts.add("a", drift(2, hash, 20, true)),
                Place::Replaces(Uuid::from_u128(1)),
                "{hash}"
            );
        }
    }

    #[test]
    fn drifts_without_states_do_not_cover_each_other() {
        let mut drifts = LiveDrifts::default();
        drifts.add("a", drift(1, "", 10, true));
        assert_eq!(drifts.add("a", drift(2, "", 20, false)), Place::Replaces(Uuid::from_u128(1)));
    }
}
