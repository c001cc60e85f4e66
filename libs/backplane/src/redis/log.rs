//! The log as a stream, with its announcements on pub/sub.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::events::is_logged;
use redis::AsyncTypedCommands;
use redis::streams::StreamRangeReply;
use uuid::Uuid;

use super::exchange::Failure;
use super::known_log::KnownLog;
use super::names::DOUBT_SECONDS;
use super::{APPEND, Redis, new_id};
use crate::log::UNLOGGED_IDS;
use crate::{Entry, Error, Log, LogRead, Message, Position, Result};

impl Redis {
    /// Makes the log known, before this process appends. If the log lacks what this process has appended, a new one
    /// begins.
    pub(super) async fn look_at_log(&self) -> Result<()> {
        match self.known_log.get() {
            None => self.known_log.learn(KnownLog::begun(&self.head().await?.epoch)),
            Some(KnownLog { seq: 0, .. }) => {}
            Some(known) => match self.append_to(&known, &[]).await {
                Err(Error::LogChanged) => {}
                other => return other,
            },
        }
        Ok(())
    }

    /// Records that the log was rolled back, or that an ended epoch is back, so that the next append begins a new epoch.
    /// A process that is allowed to append begins the epoch at once. A gateway is not, and waits until another process
    /// appends.
    async fn doubt(&self, epoch: &str) -> Result<()> {
        tracing::warn!(epoch, "the log was rolled back, beginning a new one");
        let mut doubt = redis::pipe();
        doubt.cmd("SET").arg(&self.names.doubt).arg(epoch).arg("EX").arg(DOUBT_SECONDS).ignore();
        self.run_pipeline::<()>(doubt).await?;
        let known = KnownLog::begun(epoch);
        match self.append_to(&known, &[]).await {
            Ok(()) | Err(Error::LogChanged) => {}
            Err(error) => tracing::debug!(%error, "another process has to begin the new log"),
        }
        Ok(())
    }

    /// The place of the newest event. If there is no log, one begins.
    async fn place(&self) -> Result<Position> {
        loop {
            let meta: (Option<String>, Option<u64>) = self
                .exchange(|mut connection| async move {
                    redis::cmd("HMGET")
                        .arg(&self.names.meta)
                        .arg("epoch")
                        .arg("seq")
                        .query_async(&mut connection)
                        .await
                })
                .await?;
            if let (Some(epoch), Some(seq)) = meta {
                return Ok(Position { epoch: epoch.into(), seq });
            }
            // Redis is empty. A log must have begun before a reader can be at its head. A process that may
            // not append begins one as well; these commands change nothing that exists.
            let mut begin = redis::pipe();
            begin.atomic().hset_nx(&self.names.meta, "secret", new_id() + &new_id()).ignore();
            begin
                .hset_nx(&self.names.meta, "seq", 0)
                .ignore()
                .hset_nx(&self.names.meta, "epoch", new_id())
                .ignore();
            self.run_pipeline::<()>(begin).await?;
        }
    }

    async fn append_to(&self, known: &KnownLog, entries: &[Entry]) -> Result<()> {
        let mut call = APPEND.prepare_invoke();
        let names = &*self.names;
        call.key(&names.meta).key(&names.log).key(&names.ids).key(&names.unlogged).key(&names.doubt);
        // Only when there are marks: most writers may not write that key.
        if entries.iter().any(|entry| !entry.marks.is_empty()) {
            call.key(&names.marks);
        }
        let secret = new_id() + &new_id();
        call.arg(new_id()).arg(secret).arg(self.log_length).arg(self.log_age.as_secs()).arg(UNLOGGED_IDS);
        call.arg(&names.channels);
        call.arg(&known.epoch).arg(known.seq).arg(&known.event);
        for entry in entries {
            let open = entry.envelope.strip_suffix('}').unwrap_or(&entry.envelope);
            let logged = if is_logged(&entry.channel) { "1" } else { "" };
            call.arg(entry.event_id.to_string()).arg(&entry.channel).arg(logged).arg(open);
            call.arg(entry.marks.len());
            for mark in &entry.marks {
                call.arg(&mark.value).arg(self.seconds_to_live(mark));
            }
        }
        let appended =
            self.try_exchange(|mut connection| async move { call.invoke_async(&mut connection).await }).await;
        // An append without entries only begins a log, which not every process may do.
        if !entries.is_empty() {
            match &appended {
                Ok(_) => self.condition.note_append(Ok(())),
                Err(Failure { refusal: Some(reason), .. }) => self.condition.note_append(Err(reason)),
                // It is not known whether Redis would accept an append, so the last result stands.
                Err(Failure { refusal: None, .. }) => {}
            }
        }
        let (epoch, seq, event): (String, u64, String) = appended?;
        let is_known = epoch == known.epoch;
        if self.epochs.is_back(&epoch) {
            Box::pin(self.doubt(&epoch)).await?;
        } else if !is_known || !event.is_empty() {
            self.known_log.learn(KnownLog { epoch, seq, event });
        }
        if is_known { Ok(()) } else { Err(Error::LogChanged) }
    }
}

#[async_trait]
impl Log for Redis {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        match self.known_log.get() {
            Some(known) => self.append_to(&known, entries).await,
            None => {
                self.look_at_log().await?;
                Err(Error::LogChanged)
            }
        }
    }

    async fn broadcast(&self, channel: &str, body: &str) -> Result<usize> {
        let channel = self.names.channel(channel);
        // In a cluster too, all processes are subscribed to the server that holds the keys, so it knows their number.
        self.exchange(|mut connection| async move { connection.publish(channel, body).await }).await
    }

    async fn head(&self) -> Result<Position> {
        let head = self.place().await?;
        if !self.epochs.is_back(&head.epoch) {
            return Ok(head);
        }
        self.doubt(&head.epoch).await?;
        self.place().await
    }

    async fn read_after(
        &self,
        position: &Position,
        last_event: Option<Uuid>,
        limit: usize,
    ) -> Result<LogRead> {
        let mut read = redis::pipe();
        // The entry at the position is read too: it shows that no event was trimmed in between, and that the
        // log was not rolled back to an earlier state under the same epoch.
        read.atomic().cmd("HMGET").arg(&self.names.meta).arg("epoch").arg("seq");
        read.cmd("XRANGE").arg(&self.names.log).arg(position.seq).arg("+").arg("COUNT").arg(limit + 1);
        let ((epoch, head), entries): ((Option<String>, Option<u64>), StreamRangeReply) =
            self.run_pipeline(read).await?;
        if let Some(epoch) = &epoch
            && self.epochs.is_back(epoch)
        {
            self.doubt(epoch).await?;
            return Ok(LogRead::Lost);
        }
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
}

fn message(entry: &redis::streams::StreamId) -> Option<Message> {
    Message::from_log(entry.get("channel")?, &entry.get::<String>("body")?)
}

fn seq_of(message: &Message) -> u64 {
    message.position.as_ref().map_or(0, |position| position.seq)
}
