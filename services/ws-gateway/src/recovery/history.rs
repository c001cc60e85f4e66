//! The newest events of the log as they were relayed, so that clients that resume, often many at
//! once, get frames that are encoded already.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use backplane::Position;
use uuid::Uuid;

use crate::catalogue::Event;

const MAX_EVENTS: usize = 4_096;
/// Maximum bytes of payloads. The encoded frames take at most a few times as much.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct History(RwLock<Events>);

#[derive(Default)]
struct Events {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
}

impl History {
    /// Adds an event of the log. If the event does not follow the last one, the history starts again with the event.
    pub(crate) fn add(&self, event: &Arc<Event>) {
        let Some(position) = &event.position else { return };
        let mut history = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let last = history.events.back().and_then(|last| last.position.as_ref());
        if last.is_some_and(|last| last.epoch != position.epoch || last.seq + 1 != position.seq) {
            *history = Events::default();
        }
        history.bytes += event.size();
        history.events.push_back(Arc::clone(event));
        while history.events.len() > MAX_EVENTS || history.bytes > MAX_BYTES {
            let Some(oldest) = history.events.pop_front() else { break };
            history.bytes -= oldest.size();
        }
    }

    /// The event with an id, if it is here.
    pub(crate) fn find(&self, id: Uuid) -> Option<Arc<Event>> {
        let history = self.0.read().unwrap_or_else(PoisonError::into_inner);
        history.events.iter().rev().find(|event| event.envelope.event_id == id).cloned()
    }

    /// The events after one position up to another, at most `limit`; `None` if one of them is missing here.
    pub(crate) fn between(
        &self,
        after: &Position,
        until: &Position,
        limit: usize,
    ) -> Option<Vec<Arc<Event>>> {
        let history = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let first = history.events.front()?.position.as_ref()?;
        if first.epoch != after.epoch || first.seq > after.seq + 1 {
            return None;
        }
        let skip = usize::try_from(after.seq + 1 - first.seq).ok()?;
        let count = usize::try_from(until.seq - after.seq).ok()?.min(limit);
        let events: Vec<_> = history.events.iter().skip(skip).take(count).cloned().collect();
        (events.len() == count).then_some(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: u64) -> Position {
        Position { epoch: "e".into(), seq }
    }

    fn seqs(history: &History, after: u64, until: u64) -> Option<Vec<u64>> {
        let events = history.between(&at(after), &at(until), 500)?;
        Some(events.iter().filter_map(|event| Some(event.position.as_ref()?.seq)).collect())
    }

    #[test]
    fn only_a_complete_range_is_returned() {
        let history = History::default();
        assert_eq!(seqs(&history, 4, 5), None);
        for seq in 5..=9 {
            history.add(&Arc::new(Event::example(at(seq))));
        }
        assert_eq!(seqs(&history, 4, 9), Some(vec![5, 6, 7, 8, 9]));
        assert_eq!(seqs(&history, 7, 8), Some(vec![8]));
        assert_eq!(history.between(&at(4), &at(9), 2).map(|events| events.len()), Some(2));
        assert_eq!(seqs(&history, 9, 9), Some(vec![]));
        assert_eq!(seqs(&history, 3, 9), None);
        assert_eq!(seqs(&history, 7, 10), None);
        let elsewhere = Position { epoch: "f".into(), seq: 4 };
        assert!(history.between(&elsewhere, &at(9), 500).is_none());
    }

    #[test]
    fn a_gap_starts_the_history_anew() {
        let history = History::default();
        history.add(&Arc::new(Event::example(at(1))));
        history.add(&Arc::new(Event::example(at(3))));
        assert_eq!(seqs(&history, 0, 1), None);
        assert_eq!(seqs(&history, 2, 3), Some(vec![3]));
    }

    #[test]
    fn the_oldest_go_first() {
        let history = History::default();
        for seq in 1..=5_000 {
            history.add(&Arc::new(Event::example(at(seq))));
        }
        assert_eq!(seqs(&history, 0, 5_000), None);
        assert_eq!(seqs(&history, 4_998, 5_000), Some(vec![4_999, 5_000]));
    }
}
