use std::collections::BTreeMap;

/// The deadlines of all sockets of a worker: one structure instead of a timer for each.
pub(super) struct Timers<T, V> {
    entries: BTreeMap<(T, u64), V>,
    added: u64,
}

/// Identifies an entry, to remove it.
pub(super) type TimerKey<T> = (T, u64);

impl<T, V> Default for Timers<T, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), added: 0 }
    }
}

impl<T: Ord + Copy, V> Timers<T, V> {
    pub(super) fn add(&mut self, at: T, value: V) -> TimerKey<T> {
        self.added += 1;
        self.entries.insert((at, self.added), value);
        (at, self.added)
    }

    pub(super) fn remove(&mut self, key: TimerKey<T>) {
        self.entries.remove(&key);
    }

    /// Removes and returns the due entries.
    pub(super) fn due(&mut self, now: T) -> Vec<V> {
        let later = self.entries.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.entries, later).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_entries_come_once_and_in_order() {
        let mut timers = Timers::default();
        timers.add(3, "c");
        timers.add(1, "a");
        let removed = timers.add(2, "b");
        timers.add(2, "b2");
        timers.remove(removed);
        assert_eq!(timers.due(0), [""; 0]);
        assert_eq!(timers.due(2), ["a", "b2"]);
        assert_eq!(timers.due(9), ["c"]);
    }
}
