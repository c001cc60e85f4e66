//! What a client that was cut off needs to come back, here or on another gateway: its rooms, which
//! are kept in the backplane for a while, and what it missed, which is in the log.

use std::sync::Arc;
use std::time::Duration;

use backplane::{LogRead, Message, Position, Put};
use contracts::Claims;
use serde::{Deserialize, Serialize};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;
use crate::hub::{Event, Form, Member};

const RENEW_INTERVAL: Duration = Duration::from_secs(60);
/// Number of events read from the log at once for one socket.
const PAGE: usize = 100;

/// What is kept of a socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    user_id: String,
    endpoint: String,
    /// What the client must know besides the socket's id.
    pub secret: String,
    /// The rooms it asked for.
    pub rooms: Vec<String>,
}

/// Why missed events cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Unrecoverable {
    /// The log does not reach back that far, or is another one.
    LogLost,
    /// The backplane is away.
    Unavailable,
    /// Nothing is known of the socket that is replaced, so nobody can say which rooms it was in.
    UnknownSocket,
    /// Events that are not in the log came faster than they could be relayed.
    Overflow,
}

impl Gateway {
    /// Notes what is to be kept of an open socket; the number to wait for where it must be written.
    pub(crate) fn keep(&self, member: &Member) -> Option<u64> {
        // For as long as it is open; a gateway that dies renews it no more.
        let ttl = self.settings.recovery()? + 2 * RENEW_INTERVAL;
        Some(self.note(member, true, ttl))
    }

    /// Notes what is to be kept of a socket that has just closed: nothing, if it does not return.
    pub(crate) fn keep_closed(&self, member: &Member, may_return: bool) {
        if let Some(window) = self.settings.recovery() {
            self.note(member, may_return, window);
        }
    }

    fn note(&self, member: &Member, is_kept: bool, ttl: Duration) -> u64 {
        // Plain data with string keys: it always has a JSON form.
        let value = is_kept.then(|| serde_json::to_string(&Kept::of(member, self)).unwrap_or_default());
        self.keeper.note(&member.id, Put { key: key(&member.id), value, ttl })
    }

    /// What was kept of a socket of this user.
    pub(crate) async fn kept(&self, socket: &str, form: Form, claims: &Claims) -> Option<Kept> {
        let kept = self.platform.backplane.get(&key(socket)).await.ok()??;
        let kept: Kept = serde_json::from_str(&kept).ok()?;
        (kept.user_id == claims.user_id && kept.endpoint == endpoint(form)).then_some(kept)
    }

    /// Keeps what is kept of open sockets from expiring, until `stop`.
    pub(crate) async fn renew_kept(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = interval(RENEW_INTERVAL);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            for hub in self.hubs() {
                hub.each(|member| {
                    self.keep(member);
                });
            }
        }
    }

    /// The next events of the log after a position, oldest first, at most up to another; none at that one.
    pub(crate) async fn page(
        &self,
        after: &Position,
        until: &Position,
    ) -> Result<Vec<Arc<Event>>, Unrecoverable> {
        if after.epoch != until.epoch || after.seq > until.seq {
            return Err(Unrecoverable::LogLost);
        }
        if after.seq == until.seq {
            return Ok(Vec::new());
        }
        if let Some(events) = self.history.between(after, until, PAGE) {
            return Ok(events);
        }
        let read = self.platform.backplane.log_after(after, PAGE).await;
        let page = match read.map_err(|_| Unrecoverable::Unavailable)? {
            LogRead::Events(page) if !page.is_empty() => page,
            LogRead::Events(_) | LogRead::Lost => return Err(Unrecoverable::LogLost),
        };
        let is_due = |message: &Arc<Message>| {
            message.position.as_ref().is_some_and(|position| position.seq <= until.seq)
        };
        Ok(page
            .iter()
            .take_while(|message| is_due(message))
            .map(|message| self.prepare(message).into())
            .collect())
    }
}

impl Kept {
    pub fn of(member: &Member, gateway: &Gateway) -> Self {
        let rooms = member.rooms.iter().map(|membership| &membership.room);
        let asked_for = rooms.filter(|room| gateway.catalogue.is_subscribable(room));
        Self {
            user_id: member.claims.user_id.clone(),
            endpoint: endpoint(member.form).into(),
            secret: member.secret.to_string(),
            rooms: asked_for.map(ToString::to_string).collect(),
        }
    }

    /// Whether the private id that a client brings is this socket's.
    pub fn is_known_by(&self, private_id: &str, socket: &str) -> bool {
        private_id == self::private_id(socket, &self.secret)
    }
}

/// A Socket.IO client's private id: the socket's id, and a secret.
pub fn private_id(socket: &str, secret: &str) -> String {
    format!("{socket}.{secret}")
}

/// The socket that a private id names.
pub fn socket_of(private_id: &str) -> Option<&str> {
    private_id.split_once('.').map(|(socket, _)| socket)
}

/// Reads a position as clients bring it back.
pub fn parse_offset(offset: &str) -> Option<Position> {
    let (epoch, seq) = offset.rsplit_once(':')?;
    Some(Position { epoch: epoch.into(), seq: seq.parse().ok()? })
}

fn endpoint(form: Form) -> &'static str {
    form.namespace().unwrap_or("/ws")
}

fn key(socket: &str) -> String {
    format!("ws:socket:{socket}")
}
