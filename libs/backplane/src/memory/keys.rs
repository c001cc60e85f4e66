use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Clock;

use super::sweep::Sweep;
use crate::{Hold, Keys, Put, Result};

/// Expiring keys of this process alone.
pub struct MemoryKeys {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: HashMap<String, (u64, DateTime<Utc>)>,
    values: HashMap<String, (String, DateTime<Utc>)>,
    holders: HashMap<String, HashMap<String, DateTime<Utc>>>,
    sweep: Sweep,
}

impl MemoryKeys {
    /// Creates keys whose lifetimes `clock` measures.
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn after(&self, ttl: Duration) -> DateTime<Utc> {
        self.now() + TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX)
    }
}

impl State {
    /// Deletes expired entries now and then.
    fn sweep(&mut self, now: DateTime<Utc>) {
        if !self.sweep.is_due(now) {
            return;
        }
        self.counts.retain(|_, (_, expires_at)| *expires_at > now);
        self.values.retain(|_, (_, expires_at)| *expires_at > now);
        self.holders.retain(|_, holders| {
            holders.retain(|_, expires_at| *expires_at > now);
            !holders.is_empty()
        });
    }
}

#[async_trait]
impl Keys for MemoryKeys {
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
