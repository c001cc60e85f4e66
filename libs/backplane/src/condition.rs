use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::Link;

/// A reason for which Redis may refuse an append although it accepts other writes.
pub(crate) const NO_PERMISSION: &str = "Redis lacks a permission for this user";
/// See [`NO_PERMISSION`].
pub(crate) const OTHER_REFUSAL: &str = "Redis refuses writes";

/// The state of Redis as the drivers of a process see it, and the [`Link`] that follows from it. A reason is one of a few
/// fixed texts that are safe to show.
pub struct Condition {
    facts: Mutex<Facts>,
    link: watch::Sender<Link>,
}

struct Facts {
    is_heard: bool,
    /// The result of the last probe.
    writes: Result<(), &'static str>,
    /// The result of the last append. A probe clears the refusals that concern every write. Only another append clears
    /// the others, because Redis may accept a probe and refuse an append.
    appends: Result<(), &'static str>,
}

impl Condition {
    /// Creates the state of drivers that are not connected yet. `link` is that of their [`Drivers`](crate::Drivers).
    pub fn new(link: watch::Sender<Link>) -> Self {
        let facts = Facts { is_heard: false, writes: Ok(()), appends: Ok(()) };
        Self { facts: Mutex::new(facts), link }
    }

    /// Records whether announcements are received. Returns whether that is a change.
    pub fn note_heard(&self, is_heard: bool) -> bool {
        let mut changed = false;
        self.update(|facts| changed = std::mem::replace(&mut facts.is_heard, is_heard) != is_heard);
        changed
    }

    /// Records the result of a probe, which writes as an append would.
    pub fn note_write(&self, result: Result<(), &'static str>) {
        self.update(|facts| {
            facts.writes = result;
            // A process whose event another one has published may not append for a long time.
            if result.is_ok() && facts.appends.is_err_and(|reason| !concerns_appends(reason)) {
                facts.appends = Ok(());
            }
        });
    }

    /// Records the result of an append. An append whose result is not known is not recorded.
    pub fn note_append(&self, result: Result<(), &'static str>) {
        self.update(|facts| facts.appends = result);
    }

    fn update(&self, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut facts);
        let heard = if facts.is_heard { Ok(()) } else { Err("no events are received") };
        // A refusal is the cause of the silence that follows, so it is reported first.
        let outcome = facts.appends.and(facts.writes).and(heard);
        self.link.send_if_modified(|link| match (outcome, &*link) {
            (Ok(()), Link::Up) => false,
            (Ok(()), Link::Lost { .. }) => {
                *link = Link::Up;
                true
            }
            (Err(reason), Link::Up) => {
                *link = Link::Lost { since: Instant::now(), reason };
                true
            }
            (Err(reason), Link::Lost { since, .. }) => {
                *link = Link::Lost { since: *since, reason };
                false
            }
        });
    }
}

/// Whether Redis may refuse an append for that reason while it accepts a probe.
fn concerns_appends(reason: &str) -> bool {
    reason == NO_PERMISSION || reason == OTHER_REFUSAL
}
