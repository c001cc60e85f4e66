//! The state of Redis as this process sees it.

use std::sync::{Mutex, PoisonError};

use redis::RedisError;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::Link;

const NO_PERMISSION: &str = "Redis lacks a permission for this user";
const OTHER_REFUSAL: &str = "Redis refuses writes";

/// Facts about Redis, and the [`Link`] that follows from them.
pub(super) struct Condition {
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
    pub(super) fn new(link: watch::Sender<Link>) -> Self {
        let facts = Facts { is_heard: false, writes: Ok(()), appends: Ok(()) };
        Self { facts: Mutex::new(facts), link }
    }

    /// Records whether announcements are received. Returns whether that is a change.
    pub(super) fn note_heard(&self, is_heard: bool) -> bool {
        let mut changed = false;
        self.update(|facts| changed = std::mem::replace(&mut facts.is_heard, is_heard) != is_heard);
        changed
    }

    pub(super) fn note_write(&self, result: Result<(), &'static str>) {
        self.update(|facts| {
            facts.writes = result;
            // A process whose event another one has published may not append for a long time.
            if result.is_ok() && facts.appends.is_err_and(|reason| !concerns_appends(reason)) {
                facts.appends = Ok(());
            }
        });
    }

    pub(super) fn note_append(&self, result: Result<(), &'static str>) {
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

/// Whether the connection leads to a server that cannot serve, while another server may: after a failover, a slot
/// move or a restart.
pub(super) fn is_wrong_server(error: &RedisError) -> bool {
    let codes =
        ["READONLY", "MOVED", "LOADING", "MASTERDOWN", "NOAUTH", "WRONGPASS", "CLUSTERDOWN", "UNKILLABLE"];
    codes_of(error).iter().any(|code| codes.contains(&code.as_str()))
}

/// Whether Redis may refuse an append for that reason while it accepts a probe.
fn concerns_appends(reason: &str) -> bool {
    reason == NO_PERMISSION || reason == OTHER_REFUSAL
}

/// Returns the codes of all commands of the exchange that were refused.
fn codes_of(error: &RedisError) -> Vec<String> {
    let refused = error.clone().into_server_errors();
    let refused = refused.iter().flat_map(|errors| errors.iter()).map(|(_, error)| error.code().to_owned());
    let mut codes = refused.collect::<Vec<_>>();
    codes.extend(error.code().map(Into::into));
    codes
}

/// Returns the reason for the state: a fixed text that contains no secret.
pub(super) fn reason(error: &RedisError) -> &'static str {
    match codes_of(error).first().map(String::as_str) {
        Some("ASK" | "TRYAGAIN" | "MOVED") => "Redis is moving its keys",
        Some("CLUSTERDOWN") => "the cluster of Redis is not complete",
        Some("READONLY") => "Redis is read-only",
        Some("OOM") => "Redis is out of memory",
        Some("MISCONF") => "Redis cannot save its data",
        Some("NOREPLICAS") => "Redis lacks replicas",
        Some("LOADING") => "Redis is loading its data",
        Some("MASTERDOWN") => "Redis has lost its primary",
        Some("NOAUTH" | "WRONGPASS") => "Redis refuses the password",
        Some("NOPERM") => NO_PERMISSION,
        Some(_) => OTHER_REFUSAL,
        None => "Redis cannot be reached",
    }
}
