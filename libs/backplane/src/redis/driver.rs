//! The operations of the driver as Redis commands.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contracts::events::is_logged;
use redis::AsyncTypedCommands;
use redis::streams::StreamRangeReply;
use uuid::Uuid;

use super::names::{DOUBT, DOUBT_SECONDS, IDS, LOG, MARKS, MARKS_CHANGED, META, UNLOGGED};
use super::shared::Commands;
use super::{APPEND, Failure, HOLD, MARK, Redis, new_id};
use crate::driver::{Driver, Entry, Hold, LogRead, Mark, Put, Result, UNLOGGED_IDS};
use crate::{Message, Position};

impl Redis {
    /// Records that the log was rolled back, so that the next append begins a new epoch. A process that is
    /// allowed to append begins the epoch at once. A gateway is not, and waits until another process appends.
    async fn doubt(&self, epoch: &str) -> Result<()> {
        tracing::warn!(epoch, "the log was rolled back, beginning a new one");
        let mut doubt = redis::pipe();
        doubt.cmd("SET").arg(DOUBT).arg(epoch).arg("EX").arg(DOUBT_SECONDS).ignore();
        self.run_pipeline::<()>(doubt).await?;
        if let Err(error) = self.append(&[]).await {
            tracing::debug!(%error, "another process has to begin the new log");
        }
        Ok(())
    }

    /// Returns the remaining life of a mark in whole seconds. Marks are sent as durations, because Redis has
    /// its own clock.
    fn seconds_to_live(&self, mark: &Mark) -> i64 {
        (mark.expires_at - self.clock.now()).num_seconds().max(0) + 1
    }
}

/// Converts a duration to milliseconds for Redis, at least one.
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
        let mut call = APPEND.prepare_invoke();
        call.key(META).key(LOG).key(IDS).key(UNLOGGED).key(DOUBT);
        // Only when there are marks: most writers may not write that key.
        if entries.iter().any(|entry| !entry.marks.is_empty()) {
            call.key(MARKS);
        }
        let secret = new_id() + &new_id();
        call.arg(new_id()).arg(secret).arg(self.log_length).arg(self.log_age.as_secs()).arg(UNLOGGED_IDS);
        for entry in entries {
            let open = entry.envelope.strip_suffix('}').unwrap_or(&entry.envelope);
            let logged = if is_logged(&entry.channel) { "1" } else { "" };
            call.arg(entry.event_id.to_string()).arg(&entry.channel).arg(logged).arg(open);
            call.arg(entry.marks.len());
            for mark in &entry.marks {
                call.arg(&mark.value).arg(self.seconds_to_live(mark));
            }
        }
        let appended = self
            .try_exchange(|mut connection| async move { call.invoke_async::<()>(&mut connection).await })
            .await;
        // An append without entries only begins a log, which not every process may do.
        if !entries.is_empty() {
            match &appended {
                Ok(()) => self.condition.note_append(Ok(())),
                Err(Failure { refusal: Some(reason), .. }) => self.condition.note_append(Err(reason)),
                // It is not known whether Redis would accept an append, so the last result stands.
                Err(Failure { refusal: None, .. }) => {}
            }
        }
        Ok(appended?)
    }

    async fn broadcast(&self, channel: &str, body: &str) -> Result<usize> {
        self.exchange(|mut connection| async move { connection.publish(channel, body).await }).await
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
            // Redis is empty. A log must have begun before a reader can be at its head. A process that may
            // not append begins one as well; these commands change nothing that exists.
            let mut begin = redis::pipe();
            begin.atomic().hset_nx(META, "secret", new_id() + &new_id()).ignore();
            begin.hset_nx(META, "seq", 0).ignore().hset_nx(META, "epoch", new_id()).ignore();
            self.run_pipeline::<()>(begin).await?;
        }
    }

    async fn log_after(
        &self,
        position: &Position,
        last_event: Option<Uuid>,
        limit: usize,
    ) -> Result<LogRead> {
        let mut read = redis::pipe();
        // The entry at the position is read too: it shows that no event was trimmed in between, and that the
        // log was not rolled back to an earlier state under the same epoch.
        read.atomic().cmd("HMGET").arg(META).arg("epoch").arg("seq");
        read.cmd("XRANGE").arg(LOG).arg(position.seq).arg("+").arg("COUNT").arg(limit + 1);
        let ((epoch, head), entries): ((Option<String>, Option<u64>), StreamRangeReply) =
            self.run_pipeline(read).await?;
        if epoch.as_deref() != Some(&*position.epoch) {
            return Ok(LogRead::Lost);
        }
        if head.unwrap_or(0) < position.seq {
            self.doubt(&position.epoch).await?;
            return Ok(LogRead::Lost);
        }
        let mut events = entries.ids.iter().filter_map(message).map(Arc::new).collect::<Vec<_>>();
        let known = events.first().is_some_and(|first| seq_of(first) == position.seq);
        if known {
            let first = events.remove(0);
            if last_event.is_some_and(|event| event != first.envelope.event_id) {
                self.doubt(&position.epoch).await?;
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
        let mut call = MARK.key(MARKS);
        call.arg(MARKS_CHANGED);
        for mark in marks {
            call.arg(&mark.value).arg(self.seconds_to_live(mark));
        }
        self.exchange(|mut connection| async move { call.invoke_async::<()>(&mut connection).await }).await
    }

    async fn marks(&self) -> Result<Vec<String>> {
        let mut read = redis::pipe();
        read.cmd("TIME");
        read.cmd("ZRANGE").arg(MARKS).arg(0).arg(-1).arg("WITHSCORES");
        let ((now, _), marks): ((i64, i64), Vec<(String, f64)>) = self.run_pipeline(read).await?;
        let live = marks.into_iter().filter(|(_, expires_at)| *expires_at > now as f64);
        Ok(live.map(|(value, _)| value).collect())
    }

    async fn hit(&self, key: &str, window: Duration) -> Result<u64> {
        let key = counter_key(key);
        let mut count = redis::pipe();
        count.atomic().cmd("SET").arg(&key).arg(0).arg("PX").arg(millis(window)).arg("NX").ignore();
        count.cmd("INCR").arg(&key);
        let (count,) = self.shared.run(Commands::Pipeline(&count)).await?;
        Ok(count)
    }

    async fn hits(&self, key: &str) -> Result<u64> {
        let (count,): (Option<u64>,) =
            self.shared.run(Commands::Pipeline(redis::pipe().get(counter_key(key)))).await?;
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
        self.shared.run(Commands::Pipeline(&write)).await
    }

    async fn get(&self, key: &str) -> Result<Option<String>> {
        let (value,) = self.shared.run(Commands::Pipeline(redis::pipe().get(value_key(key)))).await?;
        Ok(value)
    }

    async fn take(&self, key: &str) -> Result<Option<String>> {
        self.exchange(|mut connection| async move { connection.get_del(value_key(key)).await }).await
    }

    async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>> {
        if holds.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = HOLD.arg(millis(ttl));
        for Hold { key, holder } in holds {
            call.key(holders_key(key)).arg(holder);
        }
        self.shared.run(Commands::Script(&call)).await
    }

    async fn holders(&self, key: &str) -> Result<Vec<String>> {
        let mut read = redis::pipe();
        read.cmd("ZRANGE").arg(holders_key(key)).arg(0).arg(-1);
        let (holders,) = self.shared.run(Commands::Pipeline(&read)).await?;
        Ok(holders)
    }

    async fn release(&self, holds: &[Hold]) -> Result<()> {
        let mut write = redis::pipe();
        for Hold { key, holder } in holds {
            write.zrem(holders_key(key), holder).ignore();
        }
        self.shared.run(Commands::Pipeline(&write)).await
    }
}

fn message(entry: &redis::streams::StreamId) -> Option<Message> {
    Message::from_log(entry.get("channel")?, &entry.get::<String>("body")?)
}

fn seq_of(message: &Message) -> u64 {
    message.position.as_ref().map_or(0, |position| position.seq)
}
