use std::sync::Arc;
use std::time::Duration;

use backplane::Position;
use tokio::sync::watch;
use tokio::time::timeout;

/// Time that a read waits for an event that has not arrived here.
const PATIENCE: Duration = Duration::from_secs(2);

/// The position of the newest event that this process has received. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Newest(Arc<watch::Sender<Option<Position>>>);

impl Newest {
    /// Notes that every event up to a position has arrived.
    pub(crate) fn reach(&self, position: &Position) {
        self.0.send_replace(Some(position.clone()));
    }

    /// Returns the position; `None` before the first.
    pub(crate) fn position(&self) -> Option<Position> {
        self.0.borrow().clone()
    }

    /// Waits until an event has arrived, for at most two seconds, and returns the newest position then.
    pub(crate) async fn at_least(&self, wanted: &Position) -> Option<Position> {
        let has_arrived = |at: &Option<Position>| {
            at.as_ref().is_some_and(|at| at.epoch == wanted.epoch && at.seq >= wanted.seq)
        };
        let mut changes = self.0.subscribe();
        let arrived = timeout(PATIENCE, changes.wait_for(has_arrived)).await.ok()?;
        arrived.ok()?.clone()
    }
}
