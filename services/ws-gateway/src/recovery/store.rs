use std::sync::Arc;
use std::time::Duration;

use backplane::{Backplane, LogRead, Message, Position, Put};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::history::History;
use super::kept::KeptSocket;
use crate::batch_writer::BatchWriter;
use crate::catalogue::{Event, Translator};
use crate::hub::{Hubs, Member};
use crate::protocol::Unrecoverable;

const RENEW_INTERVAL: Duration = Duration::from_secs(60);
/// Longer than a client takes to be let in.
const CLAIM_TTL: Duration = Duration::from_secs(60);
/// Number of events read from the log at once for one socket.
const PAGE: usize = 100;

/// Keeps the state of sockets in the backplane, and reads missed events from the log.
pub struct Recovery {
    pub log: Backplane,
    pub writer: Arc<BatchWriter>,
    pub history: History,
    pub translator: Arc<Translator>,
    /// Time in which a disconnected client may resume; `None` if recovery is off.
    pub window: Option<Duration>,
}

impl Recovery {
    pub fn is_on(&self) -> bool {
        self.window.is_some()
    }

    /// Keeps the state of an open socket. Returns the number of the batch, to wait until it is written.
    pub fn keep(&self, member: &Member) -> Option<u64> {
        // Renewed while the socket is open. After the death of this replica, the state still outlives the window.
        let ttl = self.window? + 2 * RENEW_INTERVAL;
        Some(self.put(member, true, ttl))
    }

    /// Keeps the state of a closed socket for a while, or forgets it if the socket may not return.
    pub fn forget(&self, member: &Member, may_return: bool) {
        if let Some(window) = self.window {
            self.put(member, may_return, window);
        }
    }

    fn put(&self, member: &Member, is_kept: bool, ttl: Duration) -> u64 {
        let kept = is_kept.then(|| KeptSocket::of(member, &self.translator.catalogue));
        // Plain data with string keys always has a JSON form.
        let value = kept.map(|kept| serde_json::to_string(&kept).unwrap_or_default());
        self.writer.put(&member.id, Put { key: key(&member.id), value, ttl })
    }

    /// Takes the kept state of a socket, if `is_owner` accepts the client. Of several clients, one gets the state.
    pub async fn take(&self, socket: &str, is_owner: impl Fn(&KeptSocket) -> bool) -> Option<KeptSocket> {
        // Read first: a client that is not the owner must not delete the state.
        self.kept(socket, &is_owner).await?;
        parse(&self.log.take(&key(socket)).await.ok()??).filter(is_owner)
    }

    /// Claims the kept state of a socket for a client, if `is_owner` accepts the client. Of several clients, only the
    /// last one keeps the claim: each must check [`is_claimed_by`](Self::is_claimed_by) once its socket can be taken
    /// over. The state is not deleted, so that a client that is disconnected while it resumes can resume again.
    pub async fn claim(
        &self,
        socket: &str,
        claim: &str,
        is_owner: impl Fn(&KeptSocket) -> bool,
    ) -> Option<KeptSocket> {
        let kept = self.kept(socket, is_owner).await?;
        let claim = Put { key: claim_key(socket), value: Some(claim.into()), ttl: CLAIM_TTL };
        self.log.put(&[claim]).await.ok()?;
        Some(kept)
    }

    /// Whether no other client has claimed the state of the socket since `claim`.
    pub async fn is_claimed_by(&self, socket: &str, claim: &str) -> bool {
        match self.log.get(&claim_key(socket)).await {
            Ok(Some(last)) => last == claim,
            Ok(None) | Err(_) => true,
        }
    }

    async fn kept(&self, socket: &str, is_owner: impl Fn(&KeptSocket) -> bool) -> Option<KeptSocket> {
        parse(&self.log.get(&key(socket)).await.ok()??).filter(is_owner)
    }

    /// Renews the state of open sockets until `stop`.
    pub async fn renew(&self, hubs: Arc<Hubs>, stop: CancellationToken) {
        let mut ticks = interval(RENEW_INTERVAL);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            hubs.for_each_member(|member| {
                self.keep(member);
            });
        }
    }

    /// Returns the next events of the log after a position, oldest first, at most up to `until`. Returns none
    /// once `until` is reached.
    pub async fn missed(&self, after: &Position, until: &Position) -> Result<Vec<Arc<Event>>, Unrecoverable> {
        if after.epoch != until.epoch || after.seq > until.seq {
            return Err(Unrecoverable::LogLost);
        }
        if after.seq == until.seq {
            return Ok(Vec::new());
        }
        if let Some(events) = self.history.between(after, until, PAGE) {
            return Ok(events);
        }
        let read = self.log.log_after(after, PAGE).await;
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
            .map(|message| self.translator.event(message).into())
            .collect())
    }
}

fn key(socket: &str) -> String {
    format!("ws:socket:{socket}")
}

fn claim_key(socket: &str) -> String {
    format!("ws:claim:{socket}")
}

fn parse(kept: &str) -> Option<KeptSocket> {
    serde_json::from_str(kept).ok()
}
