use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use backplane::{Backplane, FeedItem, Message};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::auth::{EndReason, UserUpdated};
use contracts::{Clock, Event, Role};
use serde::Deserialize;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::revocation_marks::{Marked, UserChange};

/// Interval between reads of the marks, so that entries do not expire here while their marks live.
const REFRESH_INTERVAL: Duration = Duration::from_secs(300);
const RETRY: Duration = Duration::from_millis(500);
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

    /// Ends a session in this process, ahead of the event that reaches the others.
    pub fn end_session(&self, session: Uuid, reason: EndReason) {
        self.apply(Marked::Session { session, reason });
    }

    /// Records a change of a user in this process, ahead of the event that reaches the others.
    pub fn update_user(&self, user: Uuid, change: UserChange) {
        self.apply(Marked::User { user: user.to_string(), change });
    }

    /// Follows the backplane until `stop`. Applies events as they arrive. Reads the marks when events may
    /// have been missed, and from time to time.
    ///
    /// Inputs: the feed's items, the clock. Spawn this as a vital task, so that a panic stops the process.
    pub async fn follow(self, backplane: Backplane, stop: CancellationToken) {
        let mut feed = backplane.feed();
        let mut refresh = tokio::time::interval(REFRESH_INTERVAL);
        refresh.tick().await;
        let following = async {
            loop {
                tokio::select! {
                    item = feed.next() => match item {
                        FeedItem::Message(message) => self.hear(&message),
                        FeedItem::Reset { .. } => {
                            self.synced.send_replace(false);
                            self.read_marks(&backplane).await;
                        }
                        // The lost message may have announced the end of a session that another back end had
                        // ended.
                        FeedItem::MarksChanged | FeedItem::Lost { .. } => self.read_marks(&backplane).await,
                        FeedItem::Unreadable { .. } => {}
                    },
                    _ = refresh.tick() => self.read_marks(&backplane).await,
                }
            }
        };
        // Stops even while the marks cannot be read, which may last as long as Redis is unavailable.
        stop.run_until_cancelled(following).await;
    }

    fn hear(&self, message: &Message) {
        let payload = message.envelope.payload.get();
        match message.channel.as_str() {
            "auth:session.deleted" | "auth:session.terminated" => match serde_json::from_str(payload) {
                Ok(target @ Target { .. }) => {
                    if let Some(session) = target.session() {
                        self.end_session(session, target.reason());
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, channel = message.channel, "ignored an event without a readable session")
                }
            },
            UserUpdated::TYPE => match serde_json::from_str::<Updated>(payload) {
                Ok(Updated { user_id, generation, role, is_active }) => {
                    let account_id = message.envelope.account_id.clone();
                    self.update_user(user_id, UserChange { generation, role, is_active, account_id });
                }
                Err(error) => {
                    tracing::warn!(%error, channel = message.channel, "ignored an event without a readable user")
                }
            },
            _ => {}
        }
    }

    /// Applies every mark, then deletes entries that are neither marked nor recent.
    async fn read_marks(&self, backplane: &Backplane) {
        let started = self.clock.now();
        let marks = loop {
            match backplane.marks.live().await {
                Ok(marks) => break marks,
                Err(error) => {
                    tracing::debug!(%error, "cannot read the marks yet");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        for value in &marks {
            match Marked::parse(value) {
                Some(marked) => self.apply(marked),
                None => tracing::warn!("ignored an unreadable mark"),
            }
        }
        let mut lists = self.write();
        lists.sessions.retain(|_, ended| ended.until > started);
        lists.users.retain(|_, user| user.until > started);
        drop(lists);
        self.synced.send_replace(true);
    }

    fn apply(&self, marked: Marked) {
        let until = self.clock.now() + self.keep;
        let change = match marked {
            Marked::Session { session, reason } => {
                let known = self.write().sessions.insert(session, Ended { reason, until });
                known.is_none().then_some(Change::SessionEnded { session, reason })
            }
            Marked::User { user, change } => {
                let mut lists = self.write();
                let known = lists.users.get(&user).map(|old| old.change.generation);
                if known.is_some_and(|known| known > change.generation) {
                    return;
                }
                let is_news = known.is_none_or(|known| known < change.generation);
                lists.users.insert(user.clone(), User { change: change.into(), until });
                is_news.then_some(Change::UserChanged { user })
            }
        };
        if let Some(change) = change {
            // An error means that no socket listens.
            let _ = self.changes.send(change);
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.lists.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The payload of `auth:user.updated`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    user_id: Uuid,
    generation: i64,
    role: Role,
    is_active: bool,
}

/// The session that an event names, in the field names of our back end and of others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    target_session_id: Option<String>,
    target_session_token: Option<String>,
    session_id: Option<String>,
    reason: Option<String>,
}

impl Target {
    fn session(&self) -> Option<Uuid> {
        let named = [&self.target_session_id, &self.target_session_token, &self.session_id];
        named.into_iter().flatten().next()?.parse().ok()
    }

    /// Returns the reason. A reason of another back end that is unknown here counts as an admin's decision.
    fn reason(&self) -> EndReason {
        self.reason.as_deref().and_then(|reason| reason.parse().ok()).unwrap_or(EndReason::Admin)
    }
}
