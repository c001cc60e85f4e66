use std::sync::Arc;
use std::time::Duration;

use backplane::{Backplane, FeedItem, Message};
use chrono::TimeDelta;
use contracts::events::auth::{EndReason, UserUpdated};
use contracts::{Clock, Event, Role};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::marks::{Marked, REFRESH_INTERVAL};
use crate::{Keys, Revocations, UserChange};

const RETRY: Duration = Duration::from_millis(500);
/// Interval between looks whether tokens named unknown keys. Anybody can name one, and there may be many marks to read.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(10);
/// Time for which an issued key still verifies here when its mark has disappeared, for example because Redis lost its
/// data.
const KEEP_KEYS: TimeDelta = TimeDelta::days(1);

/// Keeps the ended sessions, the changed users and the issued keys of this process up to date.
pub struct Follower {
    pub keys: Arc<Keys>,
    pub revocations: Revocations,
    pub clock: Clock,
}

impl Follower {
    /// Follows the backplane until `stop`. Applies events as they arrive. Reads the marks when events may
    /// have been missed, when a token names an unknown key, and from time to time.
    ///
    /// Inputs: the feed's items, the clock. Spawn this as a vital task, so that a panic stops the process.
    pub async fn run(self, backplane: Backplane, stop: CancellationToken) {
        let mut feed = backplane.feed();
        let mut refresh = tokio::time::interval(REFRESH_INTERVAL);
        refresh.tick().await;
        let mut look_for_keys = tokio::time::interval(UNKNOWN_KEY_INTERVAL);
        let following = async {
            loop {
                tokio::select! {
                    biased;
                    _ = refresh.tick() => self.read_marks(&backplane).await,
                    _ = look_for_keys.tick(), if self.keys.are_issued() => {
                        if self.keys.take_unknown() {
                            self.read_marks(&backplane).await;
                        }
                    }
                    item = feed.next() => match item {
                        FeedItem::Message(message) => self.hear(&message),
                        FeedItem::Reset { .. } => {
                            self.revocations.set_synced(false);
                            self.read_marks(&backplane).await;
                        }
                        // The lost message may have announced the end of a session that another back end had
                        // ended.
                        FeedItem::MarksChanged | FeedItem::Lost { .. } => self.read_marks(&backplane).await,
                        FeedItem::Ignored { .. } => {}
                    },
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
                        self.revocations.end_session(session, target.reason());
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, channel = message.channel, "ignored an event without a readable session")
                }
            },
            UserUpdated::TYPE => match serde_json::from_str::<Updated>(payload) {
                Ok(Updated { user_id, generation, role, is_active }) => {
                    let account_id = message.envelope.account_id.clone();
                    let change = UserChange { generation, role, is_active, account_id };
                    self.revocations.update_user(user_id.to_string(), change);
                }
                Err(error) => {
                    tracing::warn!(%error, channel = message.channel, "ignored an event without a readable user")
                }
            },
            _ => {}
        }
    }

    /// Applies every mark, then forgets what is neither marked nor recent.
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
            if Marked::parse(value).is_none_or(|marked| !self.apply(marked)) {
                tracing::warn!("ignored an unreadable mark");
            }
        }
        self.revocations.forget_outdated(started);
        self.keys.forget_outdated(started);
        self.revocations.set_synced(true);
    }

    /// Returns whether the mark is readable.
    fn apply(&self, marked: Marked) -> bool {
        match marked {
            Marked::Session { session, reason } => self.revocations.end_session(session, reason),
            Marked::User { user, change } => self.revocations.update_user(user, change),
            Marked::Key { x } if self.keys.are_issued() => {
                return self.keys.accept(&x, self.clock.now() + KEEP_KEYS).is_ok();
            }
            Marked::KeyWithdrawn { id } if self.keys.are_issued() => self.keys.withdraw(&id),
            Marked::Key { .. } | Marked::KeyWithdrawn { .. } => {}
        }
        true
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
