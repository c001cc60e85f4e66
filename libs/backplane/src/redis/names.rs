//! The keys and channels of the backplane on Redis, and the time that a call may take.

use std::time::Duration;

pub const META: &str = "driftsentry:log:meta";
pub const LOG: &str = "driftsentry:log";
pub const IDS: &str = "driftsentry:log:ids";
pub const UNLOGGED: &str = "driftsentry:log:unlogged";
pub const DOUBT: &str = "driftsentry:log:doubt";
pub const DOUBT_SECONDS: u64 = 3_600;
pub const MARKS: &str = "driftsentry:marks";
/// The channel on which marks without an event are announced.
pub const MARKS_CHANGED: &str = "driftsentry:marks:changed";

/// Time limit of every call. A slower Redis counts as unavailable.
pub const TIMEOUT: Duration = Duration::from_secs(2);
