use std::sync::Arc;
use std::time::Duration;

use backplane::{Backplane, LogRead, Message, Position, Put};
use futures_util::{StreamExt, stream};
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use super::history::History;
use super::kept::{KeptSocket, socket_of};
use crate::batch_writer::{BatchWriter, Stored};
use crate::catalogue::{Event, Translator};
use crate::hub::{Hubs, Member, SocketRef};
use crate::protocol::{Ending, Unrecoverable};

const RENEW_INTERVAL: Duration = Duration::from_secs(60);
/// Time until state that could not be written is written again.
const RETRY: Duration = Duration::from_secs(1);
/// Number of entrances checked at once.
const CHECKS: usize = 100;
/// Number of events read from the log at once for one socket.
const PAGE: usize = 100;

/// Keeps the state of sockets in the backplane, and reads missed events from the log.
pub(crate) struct Recovery {
    pub backplane: Backplane,
    pub writer: Arc<BatchWriter>,
    pub history: History,
    pub translator: Arc<Translator>,
    /// Time in which a disconnected client may resume; `None` if recovery is off.
    pub window: Option<Duration>,
}

impl Recovery {
    pub(crate) fn is_on(&self) -> bool {
        self.window.is_some()
    }

    /// Keeps the state of an open socket.
    pub(crate) fn keep(&self, member: &Member) {
        if let Some(ttl) = self.ttl() {
            self.writer.put(&member.id, self.state_of(member, true, ttl));
        }
    }

    /// Keeps the state of an open socket, to wait until it is written.
    pub(crate) fn keep_and_wait(&self, member: &Member) -> Option<Stored> {
        Some(self.writer.put_and_wait(&member.id, self.state_of(member, true, self.ttl()?)))
    }

    /// The lifetime of state that is renewed while the socket is open. After the death of this replica, the state
    /// still outlives the window.
    fn ttl(&self) -> Option<Duration> {
        Some(self.window? + 2 * RENEW_INTERVAL)
    }

    /// Keeps the state of a closed socket for a while, or forgets it if the socket may not return.
    pub(crate) fn forget(&self, member: &Member, may_return: bool) {
        if let Some(window) = self.window {
            self.writer.put_last(&member.id, self.state_of(member, may_return, window));
        }
    }

    fn state_of(&self, member: &Member, is_kept: bool, ttl: Duration) -> Put {
        let kept = is_kept.then(|| KeptSocket::of(member, &self.translator.catalogue));
        // Plain data with string keys always has a JSON form.
        let value = kept.map(|kept| serde_json::to_string(&kept).unwrap_or_default());
        Put { key: key(&member.id), value, ttl }
    }

    /// Makes `entrance` the current one of a socket, if `is_owner` accepts the client. Returns the kept state, which
    /// stays: a client that is disconnected while it resumes can resume again. Of several clients, the last one stays.
    /// All others close once they find that they are not current, so each entrance must check that after it entered.
    pub(crate) async fn take_over(
        &self,
        socket: &str,
        entrance: &str,
        is_owner: impl Fn(&KeptSocket) -> bool,
    ) -> Option<KeptSocket> {
        let ttl = self.ttl()?;
        let kept = self.backplane.keys.get(&key(socket)).await.ok()??;
        let kept = serde_json::from_str(&kept).ok().filter(is_owner)?;
        let current = Put { key: current_key(socket), value: Some(entrance.into()), ttl };
        self.backplane.keys.put(&[current]).await.ok()?;
        Some(kept)
    }

    /// Whether an entrance is the current one of its socket, as far as the backplane knows.
    pub(crate) async fn is_current(&self, entrance: &str) -> bool {
        match self.backplane.keys.get(&current_key(socket_of(entrance))).await {
            Ok(Some(current)) => current == entrance,
            Ok(None) | Err(_) => true,
        }
    }

    /// Closes the entrances that are not current any more.
    pub(crate) async fn close_taken_over(&self, entrances: Vec<SocketRef>) {
        let check = |SocketRef { subscriber, socket }| async move {
            if !self.is_current(&socket).await {
                subscriber.close(Ending::TakenOver);
            }
        };
        stream::iter(entrances).for_each_concurrent(CHECKS, check).await;
    }

    /// Deletes the state of a socket that another one replaced.
    pub(crate) fn delete(&self, socket: &str) {
        let put = Put { key: key(socket), value: None, ttl: Duration::ZERO };
        self.writer.put(&socket.into(), put);
    }

    /// Renews the state of open sockets until `stop`, also after some of it could not be written. If the backplane was
    /// unavailable, this replica may have missed that sockets were taken over. Such sockets close first, so that they do
    /// not overwrite the state of others.
    pub(crate) async fn renew(&self, hubs: Arc<Hubs>, stop: CancellationToken) {
        let (mut ticks, mut link) = (interval(RENEW_INTERVAL), self.backplane.link());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
                Ok(()) = link.changed() => {
                    if self.backplane.is_connected() {
                        self.close_taken_over(hubs.sockets()).await;
                    }
                }
                () = self.writer.given_up() => {
                    if stop.run_until_cancelled(sleep(RETRY)).await.is_none() {
                        return;
                    }
                }
            }
            hubs.for_each_member(|member| self.keep(member));
        }
    }

    /// Returns the next events of the log after a position, oldest first, at most up to `until`. Returns none
    /// once `until` is reached.
    pub(crate) async fn missed(
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
        let read = self.backplane.log.read_after(after, None, PAGE).await;
        let page = match read.map_err(|_error| Unrecoverable::Unavailable)? {
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

fn current_key(socket: &str) -> String {
    format!("ws:current:{socket}")
}
