use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::Clock;
use contracts::events::auth::EndReason;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use crate::marks::{REFRESH_INTERVAL, UserChange};

const CHANGE_BUFFER: usize = 1_024;

/// A change that an open socket must act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    SessionEnded {
        session: Uuid,
        reason: EndReason,
    },
    /// The user's role or account changed, or the user was disabled.
    UserChanged {
        user: String,
    },
}

/// The sessions that have ended while one of their tokens may still be valid, and the users whose
/// tokens are out of date. Cheap to clone; consulted for every request.
#[derive(Clone)]
pub struct Revocations {
    clock: Clock,
    /// Lifetime of an entry that came with an event: the event does not say when the last token expires.
    keep: TimeDelta,
    lists: Arc<RwLock<Lists>>,
    changes: broadcast::Sender<Change>,
    synced: watch::Sender<bool>,
}

#[derive(Default)]
struct Lists {
    sessions: HashMap<Uuid, Ended>,
    users: HashMap<String, User>,
}

#[derive(Clone, Copy)]
struct Ended {
    reason: EndReason,
    until: DateTime<Utc>,
}

/// The state of a user since a change.
#[derive(Clone, Debug)]
struct User {
    change: Arc<UserChange>,
    until: DateTime<Utc>,
}

impl Revocations {
    /// Creates an empty list. `token_lifetime` is the longest lifetime of an access token that is refreshed.
    pub fn new(clock: Clock, token_lifetime: Duration) -> Self {
        let keep = token_lifetime.max(REFRESH_INTERVAL * 2) + Duration::from_secs(60);
        let keep = TimeDelta::from_std(keep).unwrap_or(TimeDelta::MAX);
        let (changes, _) = broadcast::channel(CHANGE_BUFFER);
        Self { clock, keep, lists: Arc::default(), changes, synced: watch::Sender::new(false) }
    }

    /// Returns the reason why the session ended, or `None` if it has not.
    pub fn ended(&self, session: Uuid) -> Option<EndReason> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        lists.sessions.get(&session).map(|ended| ended.reason)
    }

    pub(crate) fn user(&self, user: &str) -> Option<Arc<UserChange>> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        lists.users.get(user).map(|user| Arc::clone(&user.change))
    }

    /// Returns a receiver of changes from now on. A receiver that lags must check everything it holds.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Whether the list is complete: the marks have been read since the feed last started again.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Resolves when the list is complete.
    pub async fn synced(&self) {
        // Cannot fail: `self` holds the sender.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    pub(crate) fn set_synced(&self, synced: bool) {
        self.synced.send_replace(synced);
    }

    /// Ends a session in this process, ahead of the event that reaches the others.
    pub fn end_session(&self, session: Uuid, reason: EndReason) {
        let until = self.clock.now() + self.keep;
        let known = self.write().sessions.insert(session, Ended { reason, until });
        if known.is_none() {
            self.notify(Change::SessionEnded { session, reason });
        }
    }

    /// Records a change of a user in this process, ahead of the event that reaches the others. Does nothing if a
    /// later change is known.
    pub fn update_user(&self, user: String, change: UserChange) {
        let until = self.clock.now() + self.keep;
        let mut lists = self.write();
        let known = lists.users.get(&user).map(|old| old.change.generation);
        if known.is_some_and(|known| known > change.generation) {
            return;
        }
        let is_news = known.is_none_or(|known| known < change.generation);
        lists.users.insert(user.clone(), User { change: change.into(), until });
        drop(lists);
        if is_news {
            self.notify(Change::UserChanged { user });
        }
    }

    /// Deletes the entries whose time was over at `now`.
    pub(crate) fn forget_outdated(&self, now: DateTime<Utc>) {
        let mut lists = self.write();
        lists.sessions.retain(|_, ended| ended.until > now);
        lists.users.retain(|_, user| user.until > now);
    }

    fn notify(&self, change: Change) {
        // An error means that no socket listens.
        let _ = self.changes.send(change);
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.lists.write().unwrap_or_else(PoisonError::into_inner)
    }
}
