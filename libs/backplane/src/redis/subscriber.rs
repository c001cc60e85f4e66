//! The one subscription of a process, and the probe that shows whether Redis works.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use redis::{AsyncTypedCommands, RedisError, RedisResult};
use tokio::time::{interval, timeout};
use uuid::Uuid;

use super::names::{Names, PROBE_TTL_MS};
use super::refusal::{is_wrong_server, reason};
use super::route::{Route, Server};
use super::timeouts::TIMEOUT;
use crate::{Announcer, Condition};

/// Interval between probes: a write, and a message to this process on the path that events take.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Silence after which the connection is closed: a peer that vanished does not close it.
const SILENCE_LIMIT: Duration = Duration::from_secs(4);
/// Time for which a server that was left is heard.
const FAREWELL: Duration = Duration::from_millis(100);
/// Interval between log lines about a failing connection.
const WARN_INTERVAL: Duration = Duration::from_secs(60);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(1);

/// Looks at the log of a server, before anything else is heard from there. Returns false if that fails.
pub(super) type Look = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

pub(super) struct Subscriber {
    look: Look,
    route: Arc<Route>,
    names: Arc<Names>,
    patterns: Vec<String>,
    heartbeat: String,
    announcer: Announcer,
    condition: Arc<Condition>,
    /// The secret with which `append.lua` proves that it announced an event.
    secret: Mutex<Option<Arc<str>>>,
}

impl Subscriber {
    pub(super) fn new(
        look: Look,
        route: Arc<Route>,
        names: Arc<Names>,
        patterns: Vec<String>,
        announcer: Announcer,
        condition: Arc<Condition>,
    ) -> Self {
        let heartbeat = names.heartbeat(&Uuid::new_v4().simple().to_string());
        Self { look, route, names, patterns, heartbeat, announcer, condition, secret: Mutex::default() }
    }

    /// Subscribes, and subscribes again whenever the connection ends, until the task is aborted.
    pub(super) async fn run(self) {
        let (mut wait, mut warned) = (RETRY_FIRST, None::<Instant>);
        loop {
            match self.listen().await {
                Ok(()) => (wait, warned) = (RETRY_FIRST, None),
                Err(error) => {
                    // Logged, because elsewhere a wrong password looks like an unreachable server; but not at
                    // every attempt.
                    if warned.is_none_or(|at| at.elapsed() > WARN_INTERVAL) {
                        tracing::warn!(%error, "cannot subscribe to Redis");
                        warned = Some(Instant::now());
                    }
                    wait = (wait * 2).min(RETRY_LAST);
                }
            }
            if self.condition.note_heard(false) {
                tracing::warn!("lost the connection to Redis, retrying");
                wait = RETRY_FIRST;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Receives messages until the connection ends. An error means that the connection was not made, or leads
    /// to a server that cannot serve.
    async fn listen(&self) -> RedisResult<()> {
        let late = |_| RedisError::from((redis::ErrorKind::Io, "connecting took too long"));
        let server = timeout(TIMEOUT, self.route.server()).await.map_err(late).flatten();
        let server = server.inspect_err(|error| self.condition.note_write(Err(reason(error))))?;
        let ended = self.listen_to(&server).await;
        // Any other refusal concerns the subscription alone.
        if ended.as_ref().err().is_none_or(|error| error.code().is_none() || is_wrong_server(error)) {
            self.route.leave(&server).await;
        }
        ended
    }

    async fn listen_to(&self, server: &Arc<Server>) -> RedisResult<()> {
        let connect = async {
            let (mut sink, stream) = server.client.get_async_pubsub().await?.split();
            for pattern in &self.patterns {
                sink.psubscribe(pattern).await?;
            }
            sink.subscribe(&[self.heartbeat.as_str(), &self.names.marks_changed]).await?;
            Ok::<_, RedisError>((sink, stream))
        };
        let late = |_| RedisError::from((redis::ErrorKind::Io, "subscribing took too long"));
        let (_sink, mut stream) = timeout(TIMEOUT, connect).await.map_err(late)??;

        let probe = async {
            let mut ticks = interval(PROBE_INTERVAL);
            loop {
                ticks.tick().await;
                self.probe(server).await?;
            }
        };
        let hear = async {
            let mut is_first = true;
            while let Ok(Some(message)) = timeout(SILENCE_LIMIT, stream.next()).await {
                if message.get_channel_name() == self.heartbeat {
                    // The next heartbeat tries again. Meanwhile, this process counts as disconnected.
                    if is_first && !(self.look)().await {
                        continue;
                    }
                    self.note_heartbeat(std::mem::take(&mut is_first));
                } else {
                    self.pass_on(&message);
                }
            }
        };
        let mut hear = std::pin::pin!(hear);
        let ended = tokio::select! {
            ended = probe => ended,
            () = &mut hear => return Ok(()),
            () = self.route.until_replaced(server) => Ok(()),
            () = server.left.cancelled() => Ok(()),
        };
        self.route.leave(server).await;
        // The announcements of commands that have succeeded. If the log on the next server lacks these events, it was
        // rolled back, and only a process that has received them can notice.
        timeout(FAREWELL, hear).await.ok();
        ended
    }

    /// Writes as an append would, sends a heartbeat, and reads the secret of the log. An error means that
    /// another server has to be tried.
    async fn probe(&self, server: &Server) -> RedisResult<()> {
        let exchange = async {
            let Ok(mut connection) = server.connection().await else {
                return Ok(Err("Redis cannot be reached"));
            };
            let mut write = redis::cmd("SET");
            write.arg(&self.names.probe).arg("").arg("PX").arg(PROBE_TTL_MS);
            let written = match write.exec_async(&mut connection).await {
                Err(error) if is_wrong_server(&error) => return Err(error),
                written => written.map_err(|error| reason(&error)),
            };
            // Sent even if Redis refuses writes: announcements may still arrive.
            connection.publish(&self.heartbeat, "").await?;
            let secret: Option<String> = connection.hget(&self.names.meta, "secret").await?;
            *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = secret.map(Into::into);
            Ok(written)
        };
        let written = match timeout(TIMEOUT, exchange).await {
            Ok(Err(error)) if is_wrong_server(&error) => {
                self.condition.note_write(Err(reason(&error)));
                return Err(error);
            }
            Ok(Err(error)) => Err(reason(&error)),
            Ok(Ok(written)) => written,
            Err(_) => Err("Redis does not respond"),
        };
        self.condition.note_write(written);
        Ok(())
    }

    fn note_heartbeat(&self, is_first: bool) {
        if is_first {
            self.announcer.reconnected();
        }
        if self.condition.note_heard(true) {
            tracing::info!("connected to Redis");
        }
    }

    fn pass_on(&self, message: &redis::Msg) {
        let channel = message.get_channel_name();
        if channel == self.names.marks_changed {
            return self.announcer.marks_changed();
        }
        let channel = channel.strip_prefix(&self.names.channels).unwrap_or(channel);
        // A body that is not text is not an envelope either, which the feeds report.
        let body = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
        let secret = self.secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.announcer.received(channel.into(), body, secret);
    }
}
