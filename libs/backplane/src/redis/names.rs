//! The keys and channels of an installation on Redis.

use crate::Prefix;

pub(super) const DOUBT_SECONDS: u64 = 3_600;

/// Lifetime of the key that a probe writes.
pub(super) const PROBE_TTL_MS: u64 = 60_000;

/// The names of one installation. Every key contains the same hash tag, so that a cluster keeps all keys of an
/// installation on one server, where one script may use them together.
#[derive(Debug)]
pub(super) struct Names {
    pub meta: String,
    pub log: String,
    pub ids: String,
    pub unlogged: String,
    pub doubt: String,
    pub marks: String,
    /// The marks that version 0.1.0 stored, which knew only the default prefix and no cluster.
    pub old_marks: Option<String>,
    /// The channel on which marks without an event are announced.
    pub marks_changed: String,
    /// The key that a probe writes. No process reads it.
    pub probe: String,
    /// Put before the name of every event's channel.
    pub channels: String,
    tag: String,
}

impl Names {
    pub(super) fn new(prefix: &Prefix, is_cluster: bool) -> Self {
        let tag = format!("{{{prefix}}}:");
        let name = |rest: &str| format!("{tag}{rest}");
        Self {
            meta: name("log:meta"),
            log: name("log"),
            ids: name("log:ids"),
            unlogged: name("log:unlogged"),
            doubt: name("log:doubt"),
            marks: name("marks"),
            old_marks: (prefix.is_default() && !is_cluster).then(|| format!("{prefix}:marks")),
            marks_changed: name("marks:changed"),
            probe: name("probe"),
            // Other back ends use the bare names of the default installation. The braces keep those of another
            // installation out of every pattern that the default one subscribes to.
            channels: if prefix.is_default() { String::new() } else { tag.clone() },
            tag,
        }
    }

    pub(super) fn counter(&self, key: &str) -> String {
        format!("{}count:{key}", self.tag)
    }

    pub(super) fn value(&self, key: &str) -> String {
        format!("{}value:{key}", self.tag)
    }

    pub(super) fn holders(&self, key: &str) -> String {
        format!("{}holders:{key}", self.tag)
    }

    /// Returns the channel on which a process sends messages to itself.
    pub(super) fn heartbeat(&self, process: &str) -> String {
        format!("{}heartbeat:{process}", self.tag)
    }

    /// Returns the channel of an event type, or the pattern of several.
    pub(super) fn channel(&self, name: &str) -> String {
        format!("{}{name}", self.channels)
    }
}
