use std::sync::{Mutex, PoisonError};

/// The log as this process knows it, with the last event that it has appended there: its place shows whether the log was
/// rolled back, even if no reader has seen the event.
#[derive(Clone)]
pub(super) struct KnownLog {
    pub epoch: String,
    /// 0 if this process has appended nothing there.
    pub seq: u64,
    pub event: String,
}

impl KnownLog {
    /// A log in which this process has appended nothing.
    pub(super) fn begun(epoch: &str) -> Self {
        Self { epoch: epoch.into(), seq: 0, event: String::new() }
    }
}

/// The newest state of the log that this process knows.
#[derive(Default)]
pub(super) struct Newest(Mutex<Option<KnownLog>>);

impl Newest {
    /// Returns `None` before the first look at the log.
    pub(super) fn get(&self) -> Option<KnownLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers a state, unless a newer one is known.
    pub(super) fn learn(&self, state: KnownLog) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.epoch != state.epoch || known.seq < state.seq) {
            *known = Some(state);
        }
    }
}
