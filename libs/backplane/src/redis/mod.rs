//! The backplane on Redis: a stream as the log, pub/sub for announcements, a sorted set for marks.

mod shared;
mod subscriber;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use contracts::Clock;
use deadpool_redis::{Config, Connection, Pool, PoolConfig, Runtime, Timeouts};
use redis::streams::StreamRangeReply;
use redis::{AsyncTypedCommands, FromRedisValue, Pipeline, Script};
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::driver::{Driver, Entry, Error, Hold, LogRead, Mark, Put, Result};
use crate::feed::Signal;
use crate::{Link, Message, Options, Position};
use shared::Shared;

const META: &str = "driftsentry:log:meta";
const LOG: &str = "driftsentry:log";
const MARKS: &str = "driftsentry:marks";
/// A channel of our own, on which marks without an event are announced.
const MARKS_CHANGED: &str = "driftsentry:marks:changed";
const APPENDED: &str = "driftsentry:appended:";
const APPENDED_SECONDS: u64 = 86_400;

/// No call takes longer than this; Redis that is slower counts as away.
const TIMEOUT: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 16;

static APPEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("append.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));

pub(crate) struct Redis {
    /// For what is long, or must not be done twice.
    pool: Pool,
    /// For what is short, such as counting.
    shared: Shared,
    clock: Clock,
    log_length: usize,
    log_age: Duration,
    subscriber: AbortHandle,
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.subscriber.abort();
    }
}

impl Redis {
    pub(crate) fn open(
        url: &str,
        options: Options,
        signals: broadcast::Sender<Signal>,
        link: watch::Sender<Link>,
    ) -> Result<Self> {
        let client = redis::Client::open(url).map_err(away)?;
        let mut config = Config::from_url(url);
        config.pool = Some(PoolConfig {
            max_size: CONNECTIONS,
            timeouts: Timeouts { wait: Some(TIMEOUT), create: Some(TIMEOUT), recycle: Some(TIMEOUT) },
            ..PoolConfig::default()
        });
        let pool = config.create_pool(Some(Runtime::Tokio1)).map_err(away)?;
        let patterns = contracts::events::LOGGED_CHANNELS.into_iter().map(String::from);
        let patterns = patterns.chain(options.channels).collect();
        let shared = Shared::new(client.clone());
        let subscriber = subscriber::Subscriber::new(client, pool.clone(), patterns, signals, link);
        let subscriber = tokio::spawn(subscriber.run()).abort_handle();
        let Options { clock, log_length, log_age, .. } = options;
        Ok(Self { pool, shared, clock, log_length, log_age, subscriber })
    }

    /// Runs one exchange with a connection of the pool, within the time limit.
    async fn exchange<T, F>(&self, exchange: impl FnOnce(Connection) -> F) -> Result<T>
    where
        F: Future<Output = redis::RedisResult<T>>,
    {
        let within = async {
            let connection = self.pool.get().await.map_err(away)?;
            exchange(connection).await.map_err(away)
        };
        tokio::time::timeout(TIMEOUT, within).await.unwrap_or(Err(Error::Timeout))
    }

    async fn run_pipeline<T: FromRedisValue>(&self, pipeline: Pipeline) -> Result<T> {
        self.exchange(|mut connection| async move { pipeline.query_async(&mut connection).await }).await
    }

    async fn renew_epoch(&self, rolled_back: &str) -> Result<()> {
        let (old, new) = (rolled_back.to_owned(), new_epoch());
        tracing::warn!(epoch = old, "the log was rolled back: it begins anew");
        self.exchange(|mut connection| async move {
            RENEW.key(META).key(LOG).arg(old).arg(new).invoke_async(&mut connection).await
        })
        .await
    }
}

fn new_epoch() -> String {
    Uuid::new_v4().simple().to_string()
}

fn away(error: impl std::fmt::Display) -> Error {
    Error::Away(error.to_string())
}

/// A duration as Redis takes it: at least a millisecond.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn counter_key(key: &str) -> String {
    format!("driftsentry:count:{key}")
}

fn value_key(key: &str) -> String {
    format!("driftsentry:value:{key}")
}

fn holders_key(key: &str) -> String {
    format!("driftsentry:holders:{key}")
}

#[async_trait]
impl Driver for Redis {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        let now = self.clock.now().timestamp();
        let oldest = now - i64::try_from(self.log_age.as_secs()).unwrap_or(i64::MAX);
        let mut call = APPEND.prepare_invoke();
        call.key(META).key(LOG).key(MARKS);
        call.arg(new_epoch()).arg(self.log_length).arg(oldest).arg(now).arg(APPENDED).arg(APPENDED_SECONDS);
        for entry in entries {
            let open = entry.envelope.strip_suffix('}').unwrap_or(&entry.envelope);
            call.arg(entry.event_id.to_string()).arg(&entry.channel).arg(open).arg(entry.marks.len());
            for mark in &entry.marks {
                call.arg(&mark.value).arg(mark.expires_at.timestamp());
            }
        }
        self.exchange(|mut connection| async move { call.invoke_async::<()>(&mut connection).await }).await
    }

    async fn broadcast(&self, channel: &str, body: &str) -> Result<()> {
        self.exchange(|mut connection| async move { connection.publish(channel, body).await }).await?;
        Ok(())
    }

    async fn head(&self) -> Result<Position> {
        loop {
            let meta: (Option<String>, Option<u64>) = self
                .exchange(|mut connection| async move {
                    redis::cmd("HMGET").arg(META).arg("epoch").arg("seq").query_async(&mut connection).await
                })
                .await?;
            if let (Some(epoch), Some(seq)) = meta {
                return Ok(Position { epoch: epoch.into(), seq });
            }
            // An empty Redis: a log must have begun before anybody can be at its head.
            self.append(&[]).await?;
        }
    }

    async fn log_after(
        &self,
        position: &Position,
        last_event: Option<Uuid>,
        limit: usize,
    ) -> Result<LogRead> {
        let mut read = redis::pipe();
        // The entry at the position is read too: it shows that nothing lies between, and that the
        // log was not rolled back to an earlier state under the same epoch.
        read.atomic().cmd("HMGET").arg(META).arg("epoch").arg("seq");
        read.cmd("XRANGE").arg(LOG).arg(position.seq).arg("+").arg("COUNT").arg(limit + 1);
        let ((epoch, head), entries): ((Option<String>, Option<u64>), StreamRangeReply) =
            self.run_pipeline(read).await?;
        if epoch.as_deref() != Some(&*position.epoch) {
            return Ok(LogRead::Lost);
        }
        if head.unwrap_or(0) < position.seq {
            self.renew_epoch(&position.epoch).await?;
            return Ok(LogRead::Lost);
        }
        let mut events = entries.ids.iter().filter_map(message).map(Arc::new).collect::<Vec<_>>();
        let known = events.first().is_some_and(|first| seq_of(first) == position.seq);
        if known {
            let first = events.remove(0);
            if last_event.is_some_and(|event| event != first.envelope.event_id) {
                self.renew_epoch(&position.epoch).await?;
                return Ok(LogRead::Lost);
            }
        }
        let contiguous = match events.first() {
            Some(first) => seq_of(first) == position.seq + 1,
            None => head == Some(position.seq),
        };
        events.truncate(limit);
        Ok(if contiguous { LogRead::Events(events) } else { LogRead::Lost })
    }

    async fn mark(&self, marks: &[Mark]) -> Result<()> {
        let mut write = redis::pipe();
        for mark in marks {
            write.cmd("ZADD").arg(MARKS).arg("GT").arg(mark.expires_at.timestamp()).arg(&mark.value).ignore();
        }
        write.publish(MARKS_CHANGED, "").ignore();
        self.run_pipeline(write).await
    }

    async fn marks(&self) -> Result<Vec<String>> {
        let now = self.clock.now().timestamp();
        self.exchange(|mut connection| async move { connection.zrangebyscore(MARKS, now, "+inf").await })
            .await
    }

    async fn hit(&self, key: &str, window: Duration) -> Result<u64> {
        let key = counter_key(key);
        let mut count = redis::pipe();
        count.atomic().cmd("SET").arg(&key).arg(0).arg("PX").arg(millis(window)).arg("NX").ignore();
        count.cmd("INCR").arg(&key);
        let (count,) = self.shared.query(&count).await?;
        Ok(count)
    }

    async fn hits(&self, key: &str) -> Result<u64> {
        let (count,): (Option<u64>,) = self.shared.query(redis::pipe().get(counter_key(key))).await?;
        Ok(count.unwrap_or(0))
    }

    async fn put(&self, puts: &[Put]) -> Result<()> {
        let mut write = redis::pipe();
        for Put { key, value, ttl } in puts {
            match value {
                Some(value) => write.pset_ex(value_key(key), value, millis(*ttl)).ignore(),
                None => write.del(value_key(key)).ignore(),
            };
        }
        self.shared.query(&write).await
    }

    async fn get(&self, key: &str) -> Result<Option<String>> {
        let (value,) = self.shared.query(redis::pipe().get(value_key(key))).await?;
        Ok(value)
    }

    async fn take(&self, key: &str) -> Result<Option<String>> {
        self.exchange(|mut connection| async move { connection.get_del(value_key(key)).await }).await
    }

    async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>> {
        let now = self.clock.now().timestamp_millis();
        let until = now.saturating_add_unsigned(millis(ttl));
        let mut write = redis::pipe();
        for Hold { key, holder } in holds {
            let key = holders_key(key);
            write.cmd("ZREMRANGEBYSCORE").arg(&key).arg("-inf").arg(now).ignore();
            write.cmd("ZADD").arg(&key).arg(until).arg(holder).ignore();
            write.cmd("PEXPIRE").arg(&key).arg(millis(ttl)).ignore();
            write.cmd("ZCARD").arg(&key);
        }
        if holds.is_empty() { Ok(Vec::new()) } else { self.shared.query(&write).await }
    }

    async fn release(&self, holds: &[Hold]) -> Result<()> {
        let mut write = redis::pipe();
        for Hold { key, holder } in holds {
            write.zrem(holders_key(key), holder).ignore();
        }
        self.shared.query(&write).await
    }
}

fn message(entry: &redis::streams::StreamId) -> Option<Message> {
    Message::parse(entry.get("channel")?, entry.get("body")?)
}

fn seq_of(message: &Message) -> u64 {
    message.position.as_ref().map_or(0, |position| position.seq)
}
