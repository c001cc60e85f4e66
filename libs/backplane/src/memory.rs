//! The backplane of a single process.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Clock;
use contracts::events::is_logged;
use tokio::sync::watch;
use uuid::Uuid;

use crate::driver::{Driver, Entry, Hold, LogRead, Mark, Put, Result, UNLOGGED_IDS};
use crate::message::Heard;
use crate::queue::{Listeners, Signal};
use crate::{Link, Message, Position};

const SWEEP_INTERVAL: TimeDelta = TimeDelta::minutes(1);

pub(crate) struct Memory {
    listeners: Listeners,
    clock: Clock,
    log_length: usize,
    log_age: TimeDelta,
    epoch: Arc<str>,
    state: Mutex<State>,
    /// Kept so that watchers of the link do not see it close.
    _link: watch::Sender<Link>,
}

#[derive(Default)]
struct State {
    seq: u64,
    log: VecDeque<Arc<Message>>,
    /// The ids of the events in the log.
    ids: HashSet<Uuid>,
    /// The ids of the newest events without a position.
    unlogged: VecDeque<Uuid>,
    marks: HashMap<String, DateTime<Utc>>,
    counts: HashMap<String, (u64, DateTime<Utc>)>,
    values: HashMap<String, (String, DateTime<Utc>)>,
    holders: HashMap<String, HashMap<String, DateTime<Utc>>>,
    next_sweep: DateTime<Utc>,
}

impl Memory {
    pub(crate) fn new(
        listeners: Listeners,
        clock: Clock,
        log_length: usize,
        log_age: Duration,
        link: watch::Sender<Link>,
    ) -> Self {
        let log_age = TimeDelta::from_std(log_age).unwrap_or(TimeDelta::MAX);
        let epoch = Uuid::new_v4().simple().to_string().into();
        Self { listeners, clock, log_length, log_age, epoch, state: Mutex::default(), _link: link }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn position(&self, seq: u64) -> Position {
        Position { epoch: Arc::clone(&self.epoch), seq }
    }

    fn tell(&self, channel: &str, body: &str) {
        self.listeners.tell(&Signal::Heard(Heard::new(channel.into(), body.into(), None).into()));
    }

    fn announce_unlogged(&self, state: &mut State, entry: &Entry) {
        if state.unlogged.contains(&entry.event_id) {
            return;
        }
        state.unlogged.push_back(entry.event_id);
        if state.unlogged.len() > UNLOGGED_IDS {
            state.unlogged.pop_front();
        }
        self.tell(&entry.channel, &entry.envelope);
    }

    fn after(&self, ttl: Duration) -> DateTime<Utc> {
        self.now() + TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX)
    }
}

impl State {
    /// Drops events beyond the cap or the age limit. Keeps the newest event, so that gaps can be detected.
    fn trim(&mut self, length: usize, oldest: DateTime<Utc>) {
        while self.log.len() > length
            || (self.log.len() > 1 && self.log.front().is_some_and(|m| m.envelope.timestamp < oldest))
        {
            if let Some(message) = self.log.pop_front() {
                self.ids.remove(&message.envelope.event_id);
            }
        }
    }

    /// Deletes expired entries, at most once a minute: readers skip expired entries anyway.
    fn sweep(&mut self, now: DateTime<Utc>) {
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now + SWEEP_INTERVAL;
        self.marks.retain(|_, expires_at| *expires_at > now);
        self.counts.retain(|_, (_, expires_at)| *expires_at > now);
        self.values.retain(|_, (_, expires_at)| *expires_at > now);
        self.holders.retain(|_, holders| {
            holders.retain(|_, expires_at| *expires_at > now);
            !holders.is_empty()
        });
    }

    fn add_marks(&mut self, marks: &[Mark]) {
        for mark in marks {
            let expires_at = self.marks.entry(mark.value.clone()).or_insert(mark.expires_at);
            *expires_at = mark.expires_at.max(*expires_at);
        }
    }
}

#[async_trait]
impl Driver for Memory {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        let now = self.now();
        let oldest = now - self.log_age;
        // Announced under the lock, so that every feed receives the events in the order of the log.
        let mut state = self.state();
        for entry in entries {
            state.add_marks(&entry.marks);
            if !is_logged(&entry.channel) {
                self.announce_unlogged(&mut state, entry);
                continue;
            }
            if state.ids.contains(&entry.event_id) {
                continue;
            }
            let position = self.position(state.seq + 1);
            let placed = entry.placed(&position);
            let Some(message) = Message::from_log(entry.channel.clone(), &placed) else {
                tracing::error!(channel = entry.channel, "did not append an entry that is not an envelope");
                continue;
            };
            state.ids.insert(message.envelope.event_id);
            state.seq += 1;
            let message = Arc::new(message);
            state.log.push_back(Arc::clone(&message));
            self.listeners.tell(&Signal::Heard(Heard::appended(message).into()));
        }
        state.trim(self.log_length, oldest);
        state.sweep(now);
        Ok(())
    }

    async fn broadcast(&self, channel: &str, body: &str) -> Result<usize> {
        self.tell(channel, body);
        Ok(1)
    }

    async fn head(&self) -> Result<Position> {
        Ok(self.position(self.state().seq))
    }

    async fn log_after(&self, position: &Position, _last: Option<Uuid>, limit: usize) -> Result<LogRead> {
        let state = self.state();
        let first = state.seq - state.log.len() as u64 + 1;
        if position.epoch != self.epoch || position.seq > state.seq || position.seq + 1 < first {
            return Ok(LogRead::Lost);
        }
        let skip = usize::try_from(position.seq + 1 - first).unwrap_or(usize::MAX);
        Ok(LogRead::Events(state.log.iter().skip(skip).take(limit).cloned().collect()))
    }

    async fn mark(&self, marks: &[Mark]) -> Result<()> {
        self.state().add_marks(marks);
        self.listeners.tell(&Signal::MarksChanged);
        Ok(())
    }

    async fn marks(&self) -> Result<Vec<String>> {
        let now = self.now();
        let state = self.state();
        Ok(state
            .marks
            .iter()
            .filter(|(_, expires_at)| **expires_at > now)
            .map(|(value, _)| value.clone())
            .collect())
    }

    async fn hit(&self, key: &str, window: Duration) -> Result<u64> {
        let (now, expires_at) = (self.now(), self.after(window));
        let mut state = self.state();
        state.sweep(now);
        let window = state.counts.entry(key.into()).or_insert((0, expires_at));
        if window.1 <= now {
            *window = (0, expires_at);
        }
        window.0 += 1;
        Ok(window.0)
    }

    async fn hits(&self, key: &str) -> Result<u64> {
        let now = self.now();
        let state = self.state();
        Ok(state.counts.get(key).filter(|(_, expires_at)| *expires_at > now).map_or(0, |(count, _)| *count))
    }

    async fn put(&self, puts: &[Put]) -> Result<()> {
        let now = self.now();
        let mut state = self.state();
        state.sweep(now);
        for Put { key, value, ttl } in puts {
            match value {
                Some(value) => state.values.insert(key.clone(), (value.clone(), self.after(*ttl))),
                None => state.values.remove(key),
            };
        }
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<String>> {
        let now = self.now();
        let state = self.state();
        Ok(state.values.get(key).filter(|(_, expires_at)| *expires_at > now).map(|(value, _)| value.clone()))
    }

    async fn take(&self, key: &str) -> Result<Option<String>> {
        let now = self.now();
        Ok(self
            .state()
            .values
            .remove(key)
            .filter(|(_, expires_at)| *expires_at > now)
            .map(|(value, _)| value))
    }

    async fn hold(&self, holds: &[Hold], ttl: Duration) -> Result<Vec<u64>> {
        let (now, expires_at) = (self.now(), self.after(ttl));
        let mut state = self.state();
        state.sweep(now);
        let counts = holds.iter().map(|Hold { key, holder }| {
            let holders = state.holders.entry(key.clone()).or_default();
            holders.retain(|_, expires_at| *expires_at > now);
            holders.insert(holder.clone(), expires_at);
            holders.len() as u64
        });
        Ok(counts.collect())
    }

    async fn holders(&self, key: &str) -> Result<Vec<String>> {
        let state = self.state();
        Ok(state.holders.get(key).map(|holders| holders.keys().cloned().collect()).unwrap_or_default())
    }

    async fn release(&self, holds: &[Hold]) -> Result<()> {
        let mut state = self.state();
        for Hold { key, holder } in holds {
            if let Some(holders) = state.holders.get_mut(key) {
                holders.remove(holder);
                if holders.is_empty() {
                    state.holders.remove(key);
                }
            }
        }
        Ok(())
    }
}
