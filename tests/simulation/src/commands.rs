//! The commands of a process, with the rules of the real driver.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backplane::{Entry, Error, Hold, Keys, Log, LogRead, Mark, Marks, Position, Put, Result};
use tokio::time::Instant;
use uuid::Uuid;

use crate::data::{KnownLog, Published, Removed};
use crate::driver::{Driver, Failure};
use crate::redis::{Redis, Refusal};
use crate::world::Without;

impl Driver {
    /// Makes the log known, before this process appends. If the log lacks what this process has appended, a new one
    /// begins.
    pub(crate) async fn look_at_log(&self) -> Result<()> {
        let known = self.state().known_log.clone();
        match known {
            None => {
                let position = Position { seq: 0, ..self.head().await? };
                self.state().known_log = Some(KnownLog { position, event: None });
            }
            Some(KnownLog { event: None, .. }) => {}
            Some(known) => match self.append_to(known, &[]).await {
                Err(Error::LogChanged) => {}
                other => return other,
            },
        }
        Ok(())
    }

    async fn append_to(&self, known: KnownLog, entries: &[Entry]) -> Result<()> {
        let removed = Removed {
            idempotent_append: self.world.without == Without::IdempotentAppend,
            known_log: self.world.without == Without::KnownLog,
        };
        let entries: Vec<_> = entries
            .iter()
            .map(|entry| (entry.clone(), entry.marks.iter().map(|mark| self.expiry(mark)).collect()))
            .collect();
        let is_empty = entries.is_empty();
        let epoch = Arc::clone(&known.position.epoch);
        let appended = self
            .exchange(move |redis, server| {
                let (published, now_known) = redis.grow(server)?.append(&entries, &known, removed);
                if now_known.position.epoch == known.position.epoch {
                    let marks = entries.iter().flat_map(|(entry, _)| &entry.marks);
                    redis.note_marks(marks.map(|mark| &*mark.value));
                }
                for message in published {
                    redis.publish(server, &message);
                }
                Ok(now_known)
            })
            .await;
        match &appended {
            _ if is_empty => {}
            Ok(_) => self.condition.note_append(Ok(())),
            Err(Failure::Refused(refusal @ (Refusal::ReadOnly | Refusal::OutOfMemory))) => {
                self.condition.note_append(Err(refusal.reason()));
            }
            Err(_) => {}
        }
        let now_known = appended?;
        let is_known = now_known.position.epoch == epoch || self.world.without == Without::KnownLog;
        if self.is_back(&now_known.position.epoch) {
            Box::pin(self.doubt(&now_known.position.epoch)).await?;
            return if is_known { Ok(()) } else { Err(Error::LogChanged) };
        }
        let mut state = self.state();
        let is_newer = |old: &KnownLog| {
            old.position.epoch != now_known.position.epoch || old.position.seq < now_known.position.seq
        };
        if state.known_log.as_ref().is_none_or(is_newer) {
            state.known_log = Some(now_known);
        }
        if is_known { Ok(()) } else { Err(Error::LogChanged) }
    }

    fn is_back(&self, epoch: &str) -> bool {
        self.world.without != Without::PastEpochs && self.epochs.is_back(epoch)
    }

    async fn doubt(&self, epoch: &Arc<str>) -> Result<()> {
        let doubted = Arc::clone(epoch);
        self.exchange(move |redis, server| {
            redis.grow(server)?.doubt(&doubted);
            Ok(())
        })
        .await?;
        let known = KnownLog { position: Position { epoch: Arc::clone(epoch), seq: 0 }, event: None };
        if let Err(error) = self.append_to(known, &[]).await {
            let process = crate::world::name(self.process);
            self.world.note(|| format!("{process}: the log was rolled back: {error}"));
        }
        Ok(())
    }
}

#[async_trait]
impl Log for Driver {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        let known = self.state().known_log.clone();
        match known {
            Some(known) => self.append_to(known, entries).await,
            None => {
                self.look_at_log().await?;
                Err(Error::LogChanged)
            }
        }
    }

    async fn broadcast(&self, channel: &str, body: &str) -> Result<usize> {
        let message = Published { channel: channel.into(), body: body.into() };
        Ok(self
            .exchange(move |redis, server| {
                redis.read(server)?;
                Ok(redis.publish(server, &message))
            })
            .await?)
    }

    async fn head(&self) -> Result<Position> {
        let head = self.exchange(|redis, server| Ok(redis.write(server)?.head())).await?;
        if !self.is_back(&head.epoch) {
            return Ok(head);
        }
        self.doubt(&head.epoch).await?;
        Ok(self.exchange(|redis, server| Ok(redis.write(server)?.head())).await?)
    }

    async fn read_after(
        &self,
        position: &Position,
        last_event: Option<Uuid>,
        limit: usize,
    ) -> Result<LogRead> {
        let after = position.clone();
        let (epoch, (read, is_rolled_back)) = self
            .exchange(move |redis, server| {
                let data = redis.read(server)?;
                Ok((data.epoch(), data.read_after(&after, last_event, limit)))
            })
            .await?;
        if let Some(epoch) = epoch
            && self.is_back(&epoch)
        {
            self.doubt(&epoch).await?;
            return Ok(LogRead::Lost);
        }
        if is_rolled_back {
            self.doubt(&position.epoch).await?;
        }
        Ok(read)
    }
}

#[async_trait]
impl Marks for Driver {
    async fn add(&self, marks: &[Mark]) -> Result<()> {
        let marks: Vec<_> = marks.iter().map(|mark| (mark.value.clone(), self.expiry(mark))).collect();
        Ok(self
            .exchange(move |redis, server| {
                redis.grow(server)?.add_marks(marks.iter().cloned());
                redis.note_marks(marks.iter().map(|(value, _)| &**value));
                redis.announce_marks(server);
                Ok(())
            })
            .await?)
    }

    async fn live(&self) -> Result<Vec<String>> {
        Ok(self.exchange(|redis, server| Ok(redis.read(server)?.live_marks(Instant::now()))).await?)
    }
}

#[async_trait]
impl Keys for Driver {
    async fn hit(&self, key: &str, window: Duration) -> Result<u64> {
        let key = key.to_owned();
        Ok(self
            .exchange(move |redis, server| Ok(redis.grow(server)?.hit(&key, window, Instant::now())))
            .await?)
    }

    async fn hits(&self, key: &str) -> Result<u64> {
        let key = key.to_owned();
        Ok(self.exchange(move |redis, server| Ok(redis.read(server)?.hits(&key, Instant::now()))).await?)
    }

    async fn put(&self, puts: &[Put]) -> Result<()> {
        let puts = puts.to_vec();
        let put = move |redis: &mut Redis, server| {
            redis.grow(server)?.put(&puts, Instant::now());
            Ok(())
        };
        Ok(self.exchange(put).await?)
    }

    async fn get(&self, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        Ok(self.exchange(move |redis, server| Ok(redis.read(server)?.get(&key, Instant::now()))).await?)
    }

    async fn take(&self, key: &str) -> Result<Option<String>> {
        let key = key.to_owned();
        Ok(self.exchange(move |redis, server| Ok(redis.write(server)?.take(&key, Instant::now()))).await?)
    }

    async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>> {
        let holds = holds.to_vec();
        Ok(self
            .exchange(move |redis, server| Ok(redis.grow(server)?.hold(&holds, ttl, Instant::now())))
            .await?)
    }

    async fn holders(&self, key: &str) -> Result<Vec<String>> {
        let key = key.to_owned();
        Ok(self.exchange(move |redis, server| Ok(redis.read(server)?.holders(&key))).await?)
    }

    async fn release(&self, holds: &[Hold]) -> Result<()> {
        let holds = holds.to_vec();
        let release = move |redis: &mut Redis, server| {
            redis.write(server)?.release(&holds);
            Ok(())
        };
        Ok(self.exchange(release).await?)
    }
}
