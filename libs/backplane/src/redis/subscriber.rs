//! The one subscription of a process, and the probe that shows whether Redis works.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_redis::Pool;
use futures_util::{FutureExt, StreamExt};
use redis::{AsyncTypedCommands, RedisError, RedisResult};
use tokio::time::{interval, timeout};
use uuid::Uuid;

use super::condition::{Condition, is_wrong_server, reason};
use super::names::{MARKS_CHANGED, META, TIMEOUT};
use crate::message::Heard;
use crate::queue::{Listeners, Signal};

/// Interval between probes: a write, and a message to this process on the path that events take.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// The key that a probe writes. No process reads it.
const PROBE_KEY: &str = "driftsentry:probe";
const PROBE_TTL_MS: u64 = 60_000;
/// Silence after which the connection is closed: a peer that vanished does not close it.
const SILENCE_LIMIT: Duration = Duration::from_secs(4);
/// Interval between log lines about a failing connection.
const WARN_INTERVAL: Duration = Duration::from_secs(60);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(1);

pub(super) struct Subscriber {
    client: redis::Client,
    pool: Pool,
    patterns: Vec<String>,
    heartbeat: String,
    listeners: Listeners,
    condition: Arc<Condition>,
    /// The secret with which `append.lua` proves that it announced an event.
    secret: Mutex<Option<Arc<str>>>,
}

impl Subscriber {
    pub(super) fn new(
        client: redis::Client,
        pool: Pool,
        patterns: Vec<String>,
        listeners: Listeners,
        condition: Arc<Condition>,
    ) -> Self {
        let heartbeat = format!("driftsentry:heartbeat:{}", Uuid::new_v4().simple());
        Self { client, pool, patterns, heartbeat, listeners, condition, secret: Mutex::default() }
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
        // Discards a suspicion that is older than this connection.
        let _ = self.condition.suspected().now_or_never();
        let connect = async {
            let (mut sink, stream) = self.client.get_async_pubsub().await?.split();
            for pattern in &self.patterns {
                sink.psubscribe(pattern).await?;
            }
            sink.subscribe(&[self.heartbeat.as_str(), MARKS_CHANGED]).await?;
            Ok::<_, RedisError>((sink, stream))
        };
        let late = |_| RedisError::from((redis::ErrorKind::Io, "connecting took too long"));
        let (_sink, mut stream) = timeout(TIMEOUT, connect).await.map_err(late)??;

        let probe = async {
            let mut ticks = interval(PROBE_INTERVAL);
            loop {
                ticks.tick().await;
                self.probe().await?;
            }
        };
        let hear = async {
            let mut is_first = true;
            while let Ok(Some(message)) = timeout(SILENCE_LIMIT, stream.next()).await {
                if message.get_channel_name() == self.heartbeat {
                    self.note_heartbeat(std::mem::take(&mut is_first));
                } else {
                    self.pass_on(&message);
                }
            }
        };
        tokio::select! {
            ended = probe => ended,
            () = hear => Ok(()),
            () = self.condition.suspected() => Ok(()),
        }
    }

    /// Writes as an append would, sends a heartbeat, and reads the secret of the log. An error means that
    /// another server has to be tried.
    async fn probe(&self) -> RedisResult<()> {
        let exchange = async {
            let Ok(mut connection) = self.pool.get().await else { return Ok(Err("Redis cannot be reached")) };
            let mut write = redis::cmd("SET");
            write.arg(PROBE_KEY).arg("").arg("PX").arg(PROBE_TTL_MS);
            let written = match write.exec_async(&mut connection).await {
                Err(error) if is_wrong_server(&error) => return Err(error),
                written => written.map_err(|error| reason(&error)),
            };
            // Sent even if Redis refuses writes: announcements may still arrive.
            connection.publish(&self.heartbeat, "").await?;
            let secret: Option<String> = connection.hget(META, "secret").await?;
            *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = secret.map(Into::into);
            Ok(written)
        };
        let written = match timeout(TIMEOUT, exchange).await {
            Ok(Err(error)) if is_wrong_server(&error) => {
                self.condition.suspect(&error, &self.pool);
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
            self.listeners.tell(&Signal::Connected);
        }
        if self.condition.note_heard(true) {
            tracing::info!("connected to Redis");
        }
    }

    fn pass_on(&self, message: &redis::Msg) {
        let channel = message.get_channel_name();
        if channel == MARKS_CHANGED {
            return self.listeners.tell(&Signal::MarksChanged);
        }
        // A body that is not text is not an envelope either, which the feeds report.
        let body = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
        let secret = self.secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.listeners.tell(&Signal::Heard(Heard::new(channel.into(), body, secret).into()));
    }
}
