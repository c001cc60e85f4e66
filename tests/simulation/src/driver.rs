//! The backplane's drivers of one process, over the simulated Redis.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use backplane::{
    Announcer, Drivers, Entry, Error, Hold, Keys, Link, Log, LogRead, Mark, Marks, Position, Put, Result,
};
use contracts::{Clock, Tasks};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use crate::data::{KnownLog, Published, Removed};
use crate::redis::{Redis, Refusal};
use crate::subscriber::SILENCE_LIMIT;
use crate::world::{Without, World};

/// As in the real driver.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The connection of a process.
pub(crate) struct Driver {
    pub world: Arc<World>,
    pub process: usize,
    pub announcer: Announcer,
    clock: Clock,
    state: Mutex<State>,
    link: watch::Sender<Link>,
}

struct State {
    /// The server that this process uses.
    server: usize,
    secret: Option<Arc<str>>,
    /// Commands of one process arrive in their order.
    next_arrival: Instant,
    is_heard: bool,
    heard_at: Instant,
    known_log: Option<KnownLog>,
    writes: std::result::Result<(), &'static str>,
    appends: std::result::Result<(), &'static str>,
}

impl Driver {
    /// Creates the drivers, and begins to connect.
    pub(crate) fn open(
        world: &Arc<World>,
        process: usize,
        clock: Clock,
        tasks: &Tasks,
        announcer: Announcer,
    ) -> Drivers {
        let lost = Link::Lost { since: Instant::now(), reason: "not connected yet" };
        let (link, watched) = watch::channel(lost);
        let state = State {
            server: world.redis().primary,
            secret: None,
            next_arrival: Instant::now(),
            is_heard: false,
            heard_at: Instant::now(),
            known_log: None,
            writes: Ok(()),
            appends: Ok(()),
        };
        let world = Arc::clone(world);
        let (state, shared) = (Mutex::new(state), announcer.clone());
        let driver = Arc::new(Self { world, process, announcer, clock, state, link });
        let listening = Arc::clone(&driver);
        tasks.spawn("subscriber", async move {
            listening.listen().await;
            Ok::<(), std::convert::Infallible>(())
        });
        Drivers { log: driver.clone(), marks: driver.clone(), keys: driver, announcer: shared, link: watched }
    }

    pub(crate) fn set_server(&self, server: usize) {
        self.state().server = server;
    }

    pub(crate) fn server(&self) -> usize {
        self.state().server
    }

    pub(crate) fn secret(&self) -> Option<Arc<str>> {
        self.state().secret.clone()
    }

    pub(crate) fn set_secret(&self, secret: Option<Arc<str>>) {
        self.state().secret = secret;
    }

    /// Leaves a server that cannot serve.
    pub(crate) fn leave(&self) {
        let mut redis = self.world.redis();
        redis.disconnect(self.process);
        self.state().server = redis.primary;
    }

    pub(crate) fn note_heard(&self, is_heard: bool) -> bool {
        let changed = std::mem::replace(&mut self.state().is_heard, is_heard) != is_heard;
        self.update_link();
        changed
    }

    pub(crate) fn note_sign_of_life(&self) {
        self.state().heard_at = Instant::now();
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.state().heard_at.elapsed() >= SILENCE_LIMIT
    }

    pub(crate) fn note_write(&self, result: std::result::Result<(), &'static str>) {
        let mut state = self.state();
        state.writes = result;
        if result.is_ok() {
            state.appends = Ok(());
        }
        drop(state);
        self.update_link();
    }

    fn note_append(&self, result: std::result::Result<(), &'static str>) {
        self.state().appends = result;
        self.update_link();
    }

    fn update_link(&self) {
        let state = self.state();
        let heard = if state.is_heard { Ok(()) } else { Err("no events are received") };
        let outcome = state.appends.and(state.writes).and(heard);
        drop(state);
        self.link.send_if_modified(|link| match (outcome, &*link) {
            (Ok(()), Link::Up) => false,
            (Ok(()), Link::Lost { .. }) => {
                *link = Link::Up;
                true
            }
            (Err(reason), Link::Up) => {
                *link = Link::Lost { since: Instant::now(), reason };
                true
            }
            (Err(reason), Link::Lost { since, .. }) => {
                *link = Link::Lost { since: *since, reason };
                false
            }
        });
    }

    /// Sends a command. The server may execute it although its response is lost, or comes too late.
    pub(crate) async fn exchange<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Redis, usize) -> std::result::Result<T, Refusal> + Send + 'static,
    ) -> std::result::Result<T, Failure> {
        let (world, process, server) = (Arc::clone(&self.world), self.process, self.server());
        let generation = world.redis().generation(process);
        let (there, back) = (world.draw_duration(0..2), world.draw_duration(0..2));
        let slow = world.redis().latency(server);
        let arrival = {
            let mut state = self.state();
            state.next_arrival = state.next_arrival.max(Instant::now() + there + slow);
            state.next_arrival
        };
        let (responded, response) = oneshot::channel();
        let travelling = async move {
            sleep_until(arrival).await;
            if !world.is_reachable(process) || world.redis().generation(process) != generation {
                return;
            }
            let result = command(&mut world.redis(), server);
            sleep(back).await;
            if world.is_reachable(process) && world.redis().generation(process) == generation {
                // An error means that the caller waits no longer.
                let _ = responded.send(result);
            }
        };
        spawn(travelling);
        let response = timeout(TIMEOUT, response).await.map_err(|_late| Failure::Timeout)?;
        let result = response.map_err(|_lost| Failure::Refused(Refusal::Unreachable))?;
        result.map_err(|refusal| {
            if refusal == Refusal::ReadOnly && self.world.without != Without::ReconnectOnReadonly {
                self.leave();
            }
            Failure::Refused(refusal)
        })
    }

    fn expiry(&self, mark: &Mark) -> Instant {
        let life = (mark.expires_at - self.clock.now()).num_seconds().max(0) + 1;
        Instant::now() + Duration::from_secs(life.unsigned_abs())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commands travel on when the process that sent them dies.
fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(future);
}

/// The reason why a command has no response.
#[derive(Debug)]
pub enum Failure {
    Timeout,
    Refused(Refusal),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout,
            Failure::Refused(refusal) => Self::unavailable(refusal.reason()),
        }
    }
}

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
            Ok(_) => self.note_append(Ok(())),
            Err(Failure::Refused(refusal @ (Refusal::ReadOnly | Refusal::OutOfMemory))) => {
                self.note_append(Err(refusal.reason()));
            }
            Err(_) => {}
        }
        let now_known = appended?;
        let is_known = now_known.position.epoch == epoch || self.world.without == Without::KnownLog;
        let mut state = self.state();
        let is_newer = |old: &KnownLog| {
            old.position.epoch != now_known.position.epoch || old.position.seq < now_known.position.seq
        };
        if state.known_log.as_ref().is_none_or(is_newer) {
            state.known_log = Some(now_known);
        }
        if is_known { Ok(()) } else { Err(Error::LogChanged) }
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
        Ok(self.exchange(|redis, server| Ok(redis.write(server)?.head())).await?)
    }

    async fn read_after(
        &self,
        position: &Position,
        last_event: Option<Uuid>,
        limit: usize,
    ) -> Result<LogRead> {
        let after = position.clone();
        let (read, is_rolled_back) = self
            .exchange(move |redis, server| Ok(redis.read(server)?.read_after(&after, last_event, limit)))
            .await?;
        if is_rolled_back {
            let epoch = Arc::clone(&position.epoch);
            self.exchange(move |redis, server| {
                redis.grow(server)?.doubt(&epoch);
                Ok(())
            })
            .await?;
            let known = KnownLog { position: Position { seq: 0, ..position.clone() }, event: None };
            if let Err(error) = self.append_to(known, &[]).await {
                let process = crate::world::name(self.process);
                self.world.note(|| format!("{process}: the log was rolled back: {error}"));
            }
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
