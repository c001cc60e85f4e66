use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Clock;
use contracts::events::is_logged;
use tokio::sync::watch;
use uuid::Uuid;

use super::sweep::Sweep;
use crate::log::UNLOGGED_IDS;
use crate::{Announcer, Entry, Link, Log, LogRead, Mark, Marks, Message, Options, Position, Result};

/// The log of this process alone, and its marks.
pub(super) struct MemoryLog {
    announcer: Announcer,
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
    sweep: Sweep,
}

impl MemoryLog {
    pub(super) fn new(options: Options, announcer: Announcer, link: watch::Sender<Link>) -> Self {
        let Options { clock, log_length, log_age, .. } = options;
        let log_age = TimeDelta::from_std(log_age).unwrap_or(TimeDelta::MAX);
        let epoch = Uuid::new_v4().simple().to_string().into();
        Self { announcer, clock, log_length, log_age, epoch, state: Mutex::default(), _link: link }
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

    fn announce_unlogged(&self, state: &mut State, entry: &Entry) {
        if state.unlogged.contains(&entry.event_id) {
            return;
        }
        state.unlogged.push_back(entry.event_id);
        if state.unlogged.len() > UNLOGGED_IDS {
            state.unlogged.pop_front();
        }
        self.announcer.received(entry.channel.clone(), entry.envelope.clone(), None);
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

    /// Deletes expired entries now and then.
    fn sweep(&mut self, now: DateTime<Utc>) {
        if !self.sweep.is_due(now) {
            return;
        }
        self.marks.retain(|_, expires_at| *expires_at > now);
    }

    fn add_marks(&mut self, marks: &[Mark]) {
        for mark in marks {
            let expires_at = self.marks.entry(mark.value.clone()).or_insert(mark.expires_at);
            *expires_at = mark.expires_at.max(*expires_at);
        }
    }
}

#[async_trait]
impl Log for MemoryLog {
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
            let Some(message) = entry.at(&position) else {
                tracing::error!(channel = entry.channel, "did not append an entry that is not an envelope");
                continue;
            };
            state.ids.insert(message.envelope.event_id);
            state.seq += 1;
            let message = Arc::new(message);
            state.log.push_back(Arc::clone(&message));
            self.announcer.appended(message);
        }
        state.trim(self.log_length, oldest);
        state.sweep(now);
        Ok(())
    }

    async fn broadcast(&self, channel: &str, body: &str) -> Result<usize> {
        self.announcer.received(channel.into(), body.into(), None);
        Ok(1)
    }

    async fn head(&self) -> Result<Position> {
        Ok(self.position(self.state().seq))
    }

    async fn read_after(&self, position: &Position, _last: Option<Uuid>, limit: usize) -> Result<LogRead> {
        let state = self.state();
        let first = state.seq - state.log.len() as u64 + 1;
        if position.epoch != self.epoch || position.seq > state.seq || position.seq + 1 < first {
            return Ok(LogRead::Lost);
        }
        let skip = usize::try_from(position.seq + 1 - first).unwrap_or(usize::MAX);
        Ok(LogRead::Events(state.log.iter().skip(skip).take(limit).cloned().collect()))
    }
}

#[async_trait]
impl Marks for MemoryLog {
    async fn add(&self, marks: &[Mark]) -> Result<()> {
        self.state().add_marks(marks);
        self.announcer.marks_changed();
        Ok(())
    }

    async fn live(&self) -> Result<Vec<String>> {
        let now = self.now();
        let state = self.state();
        Ok(state
            .marks
            .iter()
            .filter(|(_, expires_at)| **expires_at > now)
            .map(|(value, _)| value.clone())
            .collect())
    }
}
