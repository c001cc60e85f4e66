use tokio::time::Instant;

use crate::admission::MESSAGE_WINDOW;

/// Maximum number of messages in a row that had to wait. One more closes the connection.
const MAX_IN_A_ROW: u32 = 5;

/// Messages of one client that had to wait.
#[derive(Debug)]
pub(super) struct DelayedMessages {
    last: Instant,
    in_a_row: u32,
}

impl DelayedMessages {
    /// Adds a message that has to wait.
    pub(super) fn add(before: Option<&Self>, now: Instant) -> Self {
        let recent = before.filter(|before| now - before.last < 3 * MESSAGE_WINDOW);
        Self { last: now, in_a_row: recent.map_or(0, |before| before.in_a_row) + 1 }
    }

    pub(super) fn is_too_much(&self) -> bool {
        self.in_a_row > MAX_IN_A_ROW
    }
}
