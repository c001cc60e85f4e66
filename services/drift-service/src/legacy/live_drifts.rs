use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};
use contracts::drift::Status;
use uuid::Uuid;

use crate::drift::entity::Model;

/// The live drifts of an import. The source may have several of one resource; here, one of them is live.
#[derive(Default)]
pub(super) struct LiveDrifts(HashMap<String, Candidate>);

pub(super) struct Candidate {
    pub id: Uuid,
    pub actual_hash: String,
    pub detected_at: DateTime<Utc>,
    pub status: Status,
}

/// The place of a live drift among those of its resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the only one so far.
    Live,
    /// A newer one, or one whose decision covers it too, is live. It counts as superseded at that time.
    Superseded { at: DateTime<Utc> },
    /// It takes the place of this one, whose decision does not cover it.
    Replaces(Uuid),
}

impl From<&Model> for Candidate {
    fn from(row: &Model) -> Self {
        let Model { id, actual_hash, detected_at, status, .. } = row;
        Self { id: *id, actual_hash: actual_hash.clone(), detected_at: *detected_at, status: *status }
    }
}

impl LiveDrifts {
    /// Adds a drift that is here already, unless its resource is known.
    pub(super) fn know(&mut self, row: &Model) {
        self.0.entry(row.fingerprint.clone()).or_insert_with(|| row.into());
    }

    /// Adds a live drift. Decided drifts come before others, and newer ones before older ones, so that nothing has to
    /// be decided again.
    pub(super) fn add(&mut self, fingerprint: &str, drift: Candidate) -> Place {
        match self.0.entry(fingerprint.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(drift);
                Place::Live
            }
            Entry::Occupied(mut kept) => {
                let is_news = drift.status == Status::Detected
                    && drift.detected_at > kept.get().detected_at
                    && drift.actual_hash != kept.get().actual_hash;
                if is_news {
                    Place::Replaces(std::mem::replace(kept.get_mut(), drift).id)
                } else {
                    Place::Superseded { at: kept.get().detected_at.max(drift.detected_at) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn live(id: u128, hash: &str, seconds: i64, status: Status) -> Candidate {
        Candidate { id: Uuid::from_u128(id), actual_hash: hash.into(), detected_at: at(seconds), status }
    }

    #[test]
    fn a_decision_covers_a_later_sighting_of_the_same_state() {
        let mut drifts = LiveDrifts::default();
        assert_eq!(drifts.add("a", live(1, "x", 10, Status::Approved)), Place::Live);
        assert_eq!(drifts.add("a", live(2, "x", 20, Status::Detected)), Place::Superseded { at: at(20) });
        assert_eq!(drifts.add("b", live(3, "x", 5, Status::Detected)), Place::Live);
    }

    #[test]
    fn a_later_change_has_to_be_decided() {
        let mut drifts = LiveDrifts::default();
        drifts.add("a", live(1, "x", 10, Status::Approved));
        assert_eq!(drifts.add("a", live(2, "y", 20, Status::Detected)), Place::Replaces(Uuid::from_u128(1)));
        assert_eq!(drifts.add("a", live(3, "z", 15, Status::Detected)), Place::Superseded { at: at(20) });
    }

    #[test]
    fn an_earlier_change_is_history() {
        let mut drifts = LiveDrifts::default();
        drifts.add("a", live(1, "x", 10, Status::Approved));
        assert_eq!(drifts.add("a", live(2, "y", 5, Status::Rejected)), Place::Superseded { at: at(10) });
    }
}
