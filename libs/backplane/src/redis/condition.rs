//! The state of Redis as this process sees it.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use deadpool_redis::Pool;
use redis::RedisError;
use tokio::sync::{Notify, watch};

use crate::Link;

/// Facts about Redis, and the [`Link`] that follows from them.
pub(super) struct Condition {
    facts: Mutex<Facts>,
    link: watch::Sender<Link>,
    suspected: Notify,
}

struct Facts {
    is_heard: bool,
    /// The result of the last probe.
    writes: Result<(), &'static str>,
    /// The result of the last append. Only another append clears a refusal: Redis may accept a probe
    /// and refuse an append.
    appends: Result<(), &'static str>,
}

impl Condition {
    pub fn new(link: watch::Sender<Link>) -> Self {
        let facts = Facts { is_heard: false, writes: Ok(()), appends: Ok(()) };
        Self { facts: Mutex::new(facts), link, suspected: Notify::new() }
    }

    /// Records whether announcements are received. Returns whether that is a change.
    pub fn note_heard(&self, is_heard: bool) -> bool {
        let mut changed = false;
        self.update(|facts| changed = std::mem::replace(&mut facts.is_heard, is_heard) != is_heard);
        changed
    }

    pub fn note_write(&self, result: Result<(), &'static str>) {
        self.update(|facts| facts.writes = result);
    }

    pub fn note_append(&self, result: Result<(), &'static str>) {
        self.update(|facts| facts.appends = result);
    }

    /// Drops the connections of the pool if they lead to a server that cannot serve, such as a primary
    /// that became a replica, and makes the subscriber reconnect.
    pub fn suspect(&self, error: &RedisError, pool: &Pool) {
        if is_wrong_server(error) {
            pool.retain(|_, _| false);
            self.suspected.notify_one();
        }
    }

    /// Resolves when a server that cannot serve refused a command. New connections of the pool may lead to
    /// another server already, so the subscriber must reconnect as well.
    pub async fn suspected(&self) {
        self.suspected.notified().await;
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

/// Whether the connection leads to a server that cannot serve, while the address may already lead to
/// another one.
pub(super) fn is_wrong_server(error: &RedisError) -> bool {
    let codes = [
        "READONLY",
        "LOADING",
        "MASTERDOWN",
        "NOAUTH",
        "WRONGPASS",
        "CLUSTERDOWN",
        "EXECABORT",
        "UNKILLABLE",
    ];
    error.code().is_some_and(|code| codes.contains(&code))
}

/// Returns the reason for the state: a fixed text that contains no secret.
pub(super) fn reason(error: &RedisError) -> &'static str {
    match error.code() {
        Some("READONLY") => "Redis is read-only",
        Some("OOM") => "Redis is out of memory",
        Some("MISCONF") => "Redis cannot save its data",
        Some("NOREPLICAS") => "Redis lacks replicas",
        Some("LOADING") => "Redis is loading its data",
        Some("MASTERDOWN") => "Redis has lost its primary",
        Some("NOAUTH" | "WRONGPASS") => "Redis refuses the password",
        Some("NOPERM") => "Redis lacks a permission for this user",
        Some(_) => "Redis refuses writes",
        None => "Redis cannot be reached",
    }
}
