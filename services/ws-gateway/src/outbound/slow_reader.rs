//! The limits of a slow reader.

use std::time::Duration;

/// Bytes that may wait for one connection.
pub(crate) const QUEUE_BYTES: usize = 1024 * 1024;
/// The largest event that is relayed: a queue must have room for it beside others.
pub(crate) const MAX_EVENT_BYTES: usize = QUEUE_BYTES / 2;
/// Time for which a WebSocket may take no byte before its connection is closed. The kernel ends the TCP
/// connection a little later.
pub(super) const STALL_LIMIT: Duration = Duration::from_secs(8);
